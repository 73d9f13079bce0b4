import { there, useAddress } from "../address";
import type { Axis, Grid } from "../answers";
import type { Draw } from "../chart";
import { Choose, Figure, Waiting } from "../figure";
import { count, decimal, money, percentOf } from "../format";
import { moneyWords, useScene } from "../scene";
import { colourOf, inkOn, shade } from "../segments";
import { kCountSeconds, pathOf, useAnswer } from "../service";

const kAxisNames: Record<string, string> = {
  r: "Recency",
  f: "Frequency",
  m: "Money",
  fm: "Frequency and money",
  risk: "Churn risk",
};

// "5: up to 30 days": the score with the values it stands for. Recency and risk: low is best.
export function scoreWords(axis: Axis | undefined, score: number): string {
  if (!axis || axis.cuts.length === 0) return String(score);
  const bins = axis.cuts.length + 1;
  const falling = ["recency", "overdue", "risk"].includes(axis.quantity);
  const place = falling ? bins - score : score - 1; // Bin from the smallest values on.
  const unit = axis.unit === "money" || !axis.unit ? "" : ` ${axis.unit}`;
  const cut = (at: number) =>
    decimal(axis.unit === "days" ? Math.round(axis.cuts[at] * 10) / 10 : axis.cuts[at]) + unit;
  if (place <= 0) return `${score}: up to ${cut(0)}`;
  if (place >= bins - 1) return `${score}: over ${cut(bins - 2)}`;
  return `${score}: to ${cut(place)}`;
}

interface Cell {
  x: number;
  y: number;
  segment: string;
  customers: number;
  monetary: number;
  monetary_median: number | null;
}

export function GridScreen() {
  const address = useAddress();
  const { segmentation, currency } = useScene();
  const answer = useAnswer<Grid>(pathOf("/grid", { segmentation }), kCountSeconds);
  if (!answer.data) return <Waiting answer={answer} missing={`${segmentation} has no grid.`} />;
  const data = answer.data;
  const axes = new Map(data.axes.map((axis) => [axis.name, axis]));
  const down = data.coordinates[0]?.name ?? "";
  const across = data.coordinates[1]?.name ?? null;
  const cells = cellsOf(data);
  const customers = cells.reduce((sum, cell) => sum + cell.customers, 0);
  const largest = [...cells].sort((a, b) => b.customers - a.customers)[0];
  const measure = address.params.get("of") ?? "customers";

  return (
    <>
      <Figure
        id="grid"
        title={
          largest
            ? `${largest.segment}: the fullest cell holds ${percentOf(largest.customers, customers, "customers who bought")}`
            : "Customers by scores"
        }
        unit={`Customers; ${moneyWords(data)}`}
        answer={answer}
        columns={[
          { key: `score_${down}`, label: kAxisNames[down] ?? down, kind: "count" },
          ...(across
            ? [{ key: `score_${across}`, label: kAxisNames[across] ?? across, kind: "count" as const }]
            : []),
          {
            key: "segment",
            label: "Segment",
            link: (row) => there(address, "customers", { segment: row.segment }),
          },
          { key: "customers", label: "Customers", kind: "count" },
          { key: "monetary", label: "Money", kind: "money" },
          { key: "monetary_median", label: "Median money", kind: "money" },
        ]}
        rows={cells.map((cell) => ({
          ...cell,
          [`score_${down}`]: cell.y,
          [`score_${across}`]: cell.x,
        }))}
        empty={
          <p>
            {segmentation} has no grid: its segments follow from distances to centroids, not from
            scores. Choose a segmentation with scores above, such as rfm; the screen{" "}
            <a href={there(address, "models")}>Models</a> shows the centroids.
          </p>
        }
        draw={drawGrid(cells, axes.get(down), across, measure, currency)}
        height={across ? 480 : 260}
        onPick={(picked) => {
          location.hash = there(address, "customers", { segment: picked.data.cell.segment });
        }}
        controls={
          <Choose
            label="Show"
            name="of"
            options={[
              ["customers", "customers"],
              ["money", "money"],
              ["median", "median money"],
            ]}
          />
        }
        note={`${across === "fm" ? "Frequency and money: the mean of a customer's score for orders and score for money, rounded up. " : ""}A cell's colour is its segment's; the fuller the stronger. A customer's segment may differ from his cell's for some days: a segment is kept for a least time before silence or a model moves him on, so that nobody goes to and fro.`}
      />
      <Figure
        id="cuts"
        title="Where the scores are cut"
        unit="Upper end of each score"
        answer={answer}
        columns={[
          { key: "axis", label: "Axis" },
          { key: "unit", label: "Unit" },
          { key: "cuts", label: "Cuts" },
        ]}
        rows={data.axes.map((axis) => ({
          axis: kAxisNames[axis.name] ?? axis.name,
          unit: axis.unit === "money" ? currency || axis.unit : axis.unit,
          cuts: axis.cuts.map(decimal).join(", "),
        }))}
        empty={<p>{segmentation} has no scores.</p>}
      />
    </>
  );
}

// The first two coordinates; what a third one tells apart is added up under its fullest segment.
function cellsOf(data: Grid): Cell[] {
  const [down, across] = data.coordinates;
  if (!down) return [];
  const merged = new Map<string, Cell & { fullest: number }>();
  for (const one of data.cells) {
    const [y, x] = [one.scores[0], across ? one.scores[1] : 1];
    const cell = merged.get(`${y} ${x}`);
    if (!cell) {
      merged.set(`${y} ${x}`, { ...one, y, x, fullest: one.customers });
      continue;
    }
    if (one.customers > cell.fullest) {
      cell.segment = one.segment;
      cell.fullest = one.customers;
    }
    cell.customers += one.customers;
    cell.monetary += one.monetary;
    cell.monetary_median = null;
  }
  return [...merged.values()];
}

function drawGrid(
  cells: Cell[],
  down: Axis | undefined,
  across: string | null,
  measure: string,
  currency: string,
): Draw {
  const ys = [...new Set(cells.map((cell) => cell.y))].sort((a, b) => b - a);
  const xs = [...new Set(cells.map((cell) => cell.x))].sort((a, b) => a - b);
  const value = (cell: Cell): number | null =>
    measure === "money"
      ? cell.monetary
      : measure === "median"
        ? cell.monetary_median
        : cell.customers;
  const text = (cell: Cell) =>
    measure === "customers" ? count(cell.customers) : money(value(cell), currency);
  const fullness = (cell: Cell) => Math.max(0, value(cell) ?? 0); // Money may be below nothing.
  const most = Math.max(1, ...cells.map(fullness));
  return (look) => ({
    grid: { left: 8, right: 16, top: 32, bottom: 36, containLabel: true },
    tooltip: {
      formatter: (one: { data: { cell: Cell } }) => {
        const { cell } = one.data;
        return `${cell.segment}: ${count(cell.customers)} customers, ${money(cell.monetary, currency)}, median ${money(cell.monetary_median, currency)}`;
      },
    },
    xAxis: {
      type: "category",
      data: xs,
      name: across ? `${kAxisNames[across] ?? across}: low to high` : "",
      nameLocation: "middle",
      nameGap: 26,
      axisLabel: { color: look.text },
    },
    yAxis: {
      type: "category",
      inverse: true,
      data: ys.map((score) => scoreWords(down, score)),
      name: down ? (kAxisNames[down.name] ?? down.name) : "",
      nameLocation: "start", // At the top of an axis that is turned over.
      axisLabel: { color: look.text, width: 150, overflow: "break" },
    },
    series: [
      {
        type: "heatmap",
        data: cells.map((cell) => {
          const colour = shade(
            look.surface,
            colourOf(cell.segment),
            0.35 + 0.65 * Math.sqrt(fullness(cell) / most),
          );
          return {
            value: [xs.indexOf(cell.x), ys.indexOf(cell.y), fullness(cell)],
            cell,
            itemStyle: { color: colour, borderColor: look.surface, borderWidth: 2 },
            label: { color: inkOn(colour) },
          };
        }),
        label: {
          show: true,
          lineHeight: 18,
          formatter: (one: { data: { cell: Cell } }) =>
            `${one.data.cell.segment}\n${text(one.data.cell)}`,
        },
      },
    ],
  });
}
