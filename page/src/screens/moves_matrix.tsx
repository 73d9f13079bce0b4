// From segment to segment: as a matrix, and the largest as a flow.
import { here, useAddress } from "../address";
import type { Transitions } from "../answers";
import { type Draw, topLabels } from "../chart";
import { Choose, Figure, type FigureProps } from "../figure";
import { count, percent, percentOf, plural, reasonWords } from "../format";
import { useScene } from "../scene";
import { colourOf, inkOn, isNobody, segmentWords, shade } from "../segments";

const kLinksMax = 12;

export interface Step {
  from: string;
  to: string;
  amount: number;
}

type FigureAnswer = FigureProps["answer"];

function useWhat(gross: boolean): { unit: string; word: string; total: (n: number) => string } {
  const { segmentation } = useScene();
  return gross
    ? {
        unit: `Moves in ${segmentation}, every one counted`,
        word: "moves",
        total: (n) => plural(n, "move"),
      }
    : {
        unit: `Customers by segment of ${segmentation} at the first and the last date`,
        word: "customers",
        total: (n) => plural(n, "customer"),
      };
}

// Not with a reason: between two dates a customer may have moved for several.
const kNet: [string, string] = ["net", "where they were and are (net)"];

export function NobodyMoved(props: { data: Transitions }) {
  const back = props.data.came_back;
  if (useAddress().params.get("reason")) {
    return (
      <p>
        Nobody moved for this reason between these dates. Choose another reason, or dates that are
        farther apart.
      </p>
    );
  }
  return (
    <p>
      Nobody changed the segment between these dates
      {back > 0 ? `; ${plural(back, "customer")} changed and came back` : ""}. Choose dates that are
      farther apart or another segmentation.
    </p>
  );
}

export function MatrixFigure(props: { answer: FigureAnswer; moved: Step[]; gross: boolean }) {
  const address = useAddress();
  const { span, order } = useScene();
  const data = props.answer.data as Transitions;
  const what = useWhat(props.gross);
  const share = address.params.get("base") ?? "number";
  const total = props.moved.reduce((sum, one) => sum + one.amount, 0);
  const changed = props.moved.filter((one) => !isNobody(one.from));
  const largest = [...changed].sort((a, b) => b.amount - a.amount)[0];
  const changes = changed.reduce((sum, one) => sum + one.amount, 0);
  const fromSums = new Map<string, number>();
  for (const one of props.moved) fromSums.set(one.from, (fromSums.get(one.from) ?? 0) + one.amount);
  const rows = [...props.moved]
    .sort((a, b) => order(a.from, b.from) || order(a.to, b.to))
    .map((one) => ({
      from: one.from,
      to: one.to,
      amount: one.amount,
      share_all: total ? one.amount / total : 0,
      share_from: one.amount / (fromSums.get(one.from) ?? one.amount),
    }));
  const cell = (row: { from?: string; to?: string }) =>
    here(address, { from_segment: row.from, to_segment: row.to, page: null });
  return (
    <Figure
      id="matrix"
      title={
        largest
          ? `${segmentWords(largest.from)} → ${segmentWords(largest.to, "to")}: the most frequent, ${percentOf(largest.amount, changes, what.word)} from one segment to another`
          : "Moves from segment to segment"
      }
      unit={what.unit}
      answer={props.answer}
      span={span.words}
      columns={[
        { key: "from", label: "From", link: (row) => cell(row) },
        { key: "to", label: "To", link: (row) => cell(row) },
        { key: what.word, label: props.gross ? "Moves" : "Customers", kind: "count" },
        { key: "share_all", label: `Share of ${what.total(total)}`, kind: "percent" },
        { key: "share_from", label: `Share of the row: ${what.word} that left there`, kind: "percent" },
      ]}
      rows={rows.map((row) => ({ ...row, [what.word]: row.amount }))}
      empty={<NobodyMoved data={data} />}
      draw={drawMatrix(rows, order, share)}
      height={90 + 38 * new Set(rows.map((row) => row.from)).size}
      onPick={(picked) => {
        const [from, to] = picked.data.step;
        location.hash = cell({ from, to });
      }}
      controls={
        <>
          <Choose
            label="Count"
            name="by"
            options={[
              ...(address.params.get("reason") ? [] : [kNet]),
              ["gross", "every move (gross)"],
            ]}
          />
          <Choose
            label="Cells"
            name="base"
            options={[
              ["number", "numbers"],
              ["all", "share of all"],
              ["from", "share of row (who left there)"],
            ]}
          />
          <Choose label="Reason" name="reason" options={reasonOptions(data)} />
        </>
      }
      note={`${plural(data.came_back, "customer")} changed and came back between the dates. A cell (in the table: a name) leads to its customers.${props.gross && address.params.get("reason") ? " With a reason every move is counted: between two dates a customer may have moved for several." : ""}`}
    />
  );
}

function reasonOptions(data: Transitions): [string, string][] {
  const known = [
    "purchase",
    "return",
    "late_event",
    "inactivity",
    "population_shift",
    "model_change",
    "rules_change",
  ];
  const seen = data.flows.map((flow) => flow.reason);
  const all = [...new Set([...known, ...seen])];
  return [["", "any"], ...all.map((reason): [string, string] => [reason, reasonWords(reason)])];
}

function drawMatrix(
  rows: { from: string; to: string; amount: number; share_all: number; share_from: number }[],
  order: (a: string, b: string) => number,
  share: string,
): Draw {
  const froms = [...new Set(rows.map((row) => row.from))].sort(order);
  const tos = [...new Set(rows.map((row) => row.to))].sort(order);
  const value = (row: (typeof rows)[0]) =>
    share === "all" ? row.share_all : share === "from" ? row.share_from : row.amount;
  const most = Math.max(...rows.map(value));
  return (look) => ({
    grid: { left: 8, right: 16, top: 8, bottom: 8, containLabel: true },
    tooltip: {
      formatter: (one: { data: { row: (typeof rows)[0] } }) => {
        const { row } = one.data;
        return `${segmentWords(row.from)} → ${segmentWords(row.to, "to")}: ${count(row.amount)}, ${percent(row.share_from)} of the row, ${percent(row.share_all)} of all`;
      },
    },
    xAxis: {
      type: "category",
      position: "top",
      data: tos.map((name) => segmentWords(name, "to")),
      axisLabel: topLabels(look, tos.length),
    },
    yAxis: {
      type: "category",
      inverse: true,
      data: froms.map((name) => segmentWords(name)),
      axisLabel: { color: look.text, formatter: (name: string) => `${name}  →` },
    },
    series: [
      {
        type: "heatmap",
        data: rows.map((row) => {
          const colour = shade(
            look.dark ? "#222a35" : "#eef3fa",
            look.accent,
            Math.sqrt(value(row) / most),
          );
          return {
            value: [tos.indexOf(row.to), froms.indexOf(row.from), row.amount],
            row,
            step: [row.from, row.to],
            itemStyle: { color: colour, borderColor: look.surface, borderWidth: 2 },
            label: { color: inkOn(colour) },
          };
        }),
        label: {
          show: true,
          formatter: (one: { data: { row: (typeof rows)[0] } }) =>
            share === "number" ? count(one.data.row.amount) : percent(value(one.data.row)),
        },
      },
    ],
  });
}

export function SankeyFigure(props: { answer: FigureAnswer; moved: Step[]; gross: boolean }) {
  const { span, order } = useScene();
  const what = useWhat(props.gross);
  const sorted = [...props.moved].sort((a, b) => b.amount - a.amount);
  const links = sorted.slice(0, kLinksMax);
  const rest = sorted.slice(kLinksMax);
  const restAmount = rest.reduce((sum, one) => sum + one.amount, 0);
  const total = sorted.reduce((sum, one) => sum + one.amount, 0);
  if (restAmount > 0) links.push({ from: "other", to: "other", amount: restAmount });
  return (
    <Figure
      id="sankey"
      title={
        sorted.length > 0
          ? `The ${Math.min(kLinksMax, sorted.length)} largest moves: ${percentOf(total - restAmount, total, what.word)} that changed the segment or came`
          : "The largest moves"
      }
      unit={what.unit}
      answer={props.answer}
      span={span.words}
      columns={[
        { key: "from", label: "From" },
        { key: "to", label: "To" },
        { key: what.word, label: props.gross ? "Moves" : "Customers", kind: "count" },
      ]}
      rows={links.map((one) => ({ ...one, [what.word]: one.amount }))}
      empty={<NobodyMoved data={props.answer.data as Transitions} />}
      draw={drawSankey(links, order, what.word)}
      height={420}
      note={restAmount > 0 ? `“other” holds the ${rest.length} smaller ones.` : undefined}
    />
  );
}

// A name stands on both sides, so each node bears its side: a circle would be refused.
function drawSankey(links: Step[], order: (a: string, b: string) => number, word: string): Draw {
  // Names stand beside the ribbons, not in them.
  const side = (names: string[], mark: string, position: string) =>
    [...new Set(names)]
      .sort((a, b) => Number(a === "other") - Number(b === "other") || order(a, b))
      .map((name) => ({
        name: `${mark}${name}`,
        itemStyle: { color: colourOf(name) },
        label: { position },
      }));
  return (look) => ({
    tooltip: {
      formatter: (one: {
        dataType: string;
        name: string;
        value: number;
        data: { source: string; target: string };
      }) =>
        one.dataType === "edge"
          ? `${segmentWords(one.data.source.slice(1))} → ${segmentWords(one.data.target.slice(1), "to")}: ${count(one.value)} ${word}`
          : `${nodeWords(one.name)}: ${count(one.value)} ${word}`,
    },
    series: [
      {
        type: "sankey",
        left: 190,
        right: 190,
        top: 8,
        bottom: 8,
        nodeGap: 12,
        layoutIterations: 0,
        emphasis: { focus: "adjacency" },
        label: {
          color: look.text,
          fontSize: 13,
          formatter: (one: { name: string; value: number }) =>
            `${nodeWords(one.name)} ${count(one.value)}`,
        },
        lineStyle: { color: "source", opacity: look.dark ? 0.45 : 0.35 },
        data: [
          ...side(
            links.map((one) => one.from),
            "<",
            "left",
          ),
          ...side(
            links.map((one) => one.to),
            ">",
            "right",
          ),
        ],
        links: links.map((one) => ({
          source: `<${one.from}`,
          target: `>${one.to}`,
          value: one.amount,
        })),
      },
    ],
  });
}

function nodeWords(name: string): string {
  return segmentWords(name.slice(1), name.startsWith("<") ? "from" : "to");
}
