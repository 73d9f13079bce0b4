import { there, useAddress } from "../address";
import type { Retention } from "../answers";
import type { Draw } from "../chart";
import { Choose, Figure, Waiting } from "../figure";
import { count, money, percent, percentOf, plural, short } from "../format";
import { moneyWords, type Span, useScene } from "../scene";
import { inkOn, shade } from "../segments";
import { kCountSeconds, useAnswer } from "../service";

interface Cell {
  cohort: string;
  size: number;
  month: string;
  since: number; // Months since the first purchase.
  buyers: number;
  revenue: number;
  share: number;
  complete: boolean;
}

function monthsBetween(first: string, second: string): number {
  const [a, b] = [first, second].map(
    (month) => Number(month.slice(0, 4)) * 12 + Number(month.slice(5, 7)),
  );
  return b - a;
}

function inSpan(month: string, span: Span): boolean {
  return (
    (!span.from || month >= span.from.slice(0, 7)) && (!span.to || month <= span.to.slice(0, 7))
  );
}

export function RetentionScreen() {
  const { span } = useScene();
  const answer = useAnswer<Retention>("/retention", kCountSeconds);
  if (!answer.data) return <Waiting answer={answer} />;
  const data = answer.data;
  const cells = data.cohorts
    .filter((cohort) => inSpan(cohort.month, span))
    .flatMap((cohort) =>
      cohort.months
        .filter((month) => inSpan(month.month, span))
        .map((month): Cell => ({
          cohort: cohort.month,
          size: cohort.customers,
          month: month.month,
          since: monthsBetween(cohort.month, month.month),
          buyers: month.buyers,
          revenue: month.revenue,
          share: cohort.customers ? month.buyers / cohort.customers : 0,
          complete: month.complete,
        })),
    );
  return (
    <>
      <CohortsFigure answer={answer} cells={cells} />
      <LostFigure answer={answer} />
      <SpendsLessFigure answer={answer} />
    </>
  );
}

type FigureAnswer = Parameters<typeof Figure>[0]["answer"];

function CohortsFigure(props: { answer: FigureAnswer; cells: Cell[] }) {
  const { params } = useAddress();
  const { span, currency } = useScene();
  const of = params.get("of") ?? "share";
  const after = props.cells.filter((cell) => cell.since === 1 && cell.complete);
  const buyers = after.reduce((sum, cell) => sum + cell.buyers, 0);
  const size = after.reduce((sum, cell) => sum + cell.size, 0);
  const open = props.cells.filter((cell) => !cell.complete).length;
  return (
    <Figure
      id="cohorts"
      title={
        size
          ? `A month after the first purchase ${percentOf(buyers, size, "customers")} buy again`
          : "Who comes back, by month of the first purchase"
      }
      unit={
        of === "revenue"
          ? moneyWords(props.answer.data)
          : of === "buyers"
            ? "Buyers"
            : "Buyers as a share of the cohort's customers"
      }
      answer={props.answer}
      span={span.words}
      columns={[
        { key: "cohort", label: "First purchase" },
        { key: "size", label: "Customers", kind: "count" },
        { key: "since", label: "Months since", kind: "count" },
        { key: "month", label: "Month" },
        { key: "buyers", label: "Buyers", kind: "count" },
        { key: "share", label: "Share of the cohort", kind: "percent" },
        { key: "revenue", label: "Money", kind: "money" },
        { key: "state", label: "Month is" },
      ]}
      rows={props.cells.map((cell) => ({ ...cell, state: cell.complete ? "over" : "not over" }))}
      empty={
        <p>
          Nobody bought for the first time in these dates. Choose longer ones, or “all there is”.
        </p>
      }
      height={70 + 30 * new Set(props.cells.map((cell) => cell.cohort)).size}
      draw={drawCohorts(props.cells, of, currency)}
      controls={
        <Choose
          label="Show"
          name="of"
          options={[
            ["share", "share of cohort"],
            ["buyers", "buyers"],
            ["revenue", "money"],
          ]}
        />
      }
      note={open > 0 ? "Hatched: the month is not over, its figures will still grow." : undefined}
    />
  );
}

function drawCohorts(cells: Cell[], of: string, currency: string): Draw {
  const cohorts = [...new Set(cells.map((cell) => cell.cohort))].sort();
  const sizes = new Map(cells.map((cell) => [cell.cohort, cell.size]));
  const last = Math.max(0, ...cells.map((cell) => cell.since));
  const value = (cell: Cell) =>
    of === "revenue" ? cell.revenue : of === "buyers" ? cell.buyers : cell.share;
  const text = (cell: Cell) =>
    of === "revenue"
      ? short(cell.revenue)
      : of === "buyers"
        ? count(cell.buyers)
        : percent(cell.share);
  // The first month is everybody: it would leave no shades for the others.
  const most = Math.max(
    1e-9,
    ...cells.filter((cell) => cell.since > 0 || of !== "share").map(value),
  );
  return (look) => ({
    grid: { left: 8, right: 16, top: 40, bottom: 8, containLabel: true },
    tooltip: {
      formatter: (one: { data: { cell: Cell } }) => {
        const { cell } = one.data;
        return `First purchase ${cell.cohort}, in ${cell.month}: ${percentOf(cell.buyers, cell.size, "customers")}, ${money(cell.revenue, currency)}${cell.complete ? "" : " (not over)"}`;
      },
    },
    xAxis: {
      type: "category",
      position: "top",
      name: "months since the first purchase",
      nameLocation: "middle",
      nameGap: 24,
      data: Array.from({ length: last + 1 }, (_, index) => index),
    },
    yAxis: {
      type: "category",
      inverse: true,
      data: cohorts.map((cohort) => `${cohort} (${count(sizes.get(cohort))})`),
      axisLabel: { color: look.text },
    },
    series: [
      {
        type: "heatmap",
        data: cells.map((cell) => {
          const colour = shade(
            look.dark ? "#222a35" : "#eef3fa",
            look.accent,
            Math.max(0, value(cell)) / most,
          );
          const ink = inkOn(colour);
          return {
            value: [cell.since, cohorts.indexOf(cell.cohort), value(cell)],
            cell,
            itemStyle: {
              color: colour,
              borderColor: look.surface,
              borderWidth: 2,
              decal: cell.complete
                ? { symbol: "none" }
                : {
                    dashArrayX: [1, 0],
                    dashArrayY: [2, 5],
                    rotation: -Math.PI / 4,
                    color: look.dark ? "#ffffff66" : "#00000055",
                  },
            },
            label: { color: ink },
          };
        }),
        label: { show: true, formatter: (one: { data: { cell: Cell } }) => text(one.data.cell) },
      },
    ],
  });
}

function LostFigure(props: { answer: FigureAnswer }) {
  const { span } = useScene();
  const data = props.answer.data as Retention;
  const rows = data.lost
    .filter((one) => inSpan(one.month, span))
    .map((one) => ({ ...one, open: !one.complete }));
  const lost = rows.reduce((sum, one) => sum + one.lost, 0);
  const regained = rows.reduce((sum, one) => sum + one.regained, 0);
  return (
    <Figure
      id="lost"
      title={
        rows.length > 0
          ? `${plural(lost, "time")} a customer was lost, ${count(regained)} ${regained === 1 ? "time" : "times"} one came back`
          : "Customers lost and regained"
      }
      unit="Times, by month; lost: 90 days without a purchase, counted on the 90th"
      answer={props.answer}
      span={span.words}
      columns={[
        { key: "month", label: "Month" },
        { key: "lost", label: "Lost", kind: "count" },
        { key: "regained", label: "Regained", kind: "count" },
      ]}
      rows={rows}
      empty={<p>Nobody was silent for 90 days in these dates. Choose longer ones.</p>}
      draw={(look) => {
        const hatched = {
          dashArrayX: [1, 0],
          dashArrayY: [2, 5],
          rotation: -Math.PI / 4,
          color: look.surface,
        };
        const bar = (value: number, open: boolean) =>
          open
            ? { value, itemStyle: { decal: hatched } }
            : { value, itemStyle: { decal: { symbol: "none" } } };
        return {
          legend: {},
          tooltip: { trigger: "axis" },
          xAxis: { type: "category", data: rows.map((one) => one.month) },
          yAxis: { type: "value", minInterval: 1 },
          series: [
            {
              name: "Lost",
              type: "bar",
              color: look.bad,
              data: rows.map((one) => bar(one.lost, one.open)),
            },
            {
              name: "Regained",
              type: "bar",
              color: look.good,
              data: rows.map((one) => bar(one.regained, one.open)),
            },
          ],
        };
      }}
      note={`A customer who was lost, came back and was lost again counts each time.${rows.some((one) => one.open) ? " Hatched: the month is not over." : ""}`}
    />
  );
}

const kOrdersMin = 6; // With fewer the service does not compare.

function SpendsLessFigure(props: { answer: FigureAnswer }) {
  const address = useAddress();
  const { currency } = useScene();
  const data = props.answer.data as Retention;
  const least = Math.max(kOrdersMin, Number(address.params.get("orders")) || kOrdersMin);
  const rows = data.spends_less
    .filter((one) => one.frequency >= least)
    .map((one) => ({ ...one, change: one.aov_before ? one.aov / one.aov_before - 1 : null }));
  const missing = rows.reduce((sum, one) => sum + one.missing, 0);
  const shown = data.spends_less.length;
  const isCut = data.spends_less_customers > shown;
  return (
    <Figure
      id="spends-less"
      title={`${plural(rows.length, "customer")}${isCut ? ` of the ${count(shown)} listed` : ""} buy often but spend less: ${money(missing, currency)} less than at their earlier orders`}
      unit={`Money an order now and before; ${moneyWords(data)}`}
      answer={props.answer}
      columns={[
        {
          key: "customer_id",
          label: "Customer",
          link: (row) => there(address, "c", {}, row.customer_id),
        },
        { key: "frequency", label: "Orders", kind: "count" },
        { key: "aov_before", label: "An order before", kind: "money" },
        { key: "aov", label: "An order now", kind: "money" },
        { key: "change", label: "Change from before", kind: "percent" },
        { key: "missing", label: "Missing money", kind: "money" },
      ]}
      rows={rows}
      empty={
        <p>
          {isCut
            ? `None of the ${count(shown)} who leave most money missing has ${least} orders or more.`
            : `Nobody with ${least} orders or more spends less an order than before.`}
        </p>
      }
      controls={
        <Choose
          label="With at least"
          name="orders"
          options={[
            ["", `${kOrdersMin} orders`],
            ["10", "10 orders"],
            ["20", "20 orders"],
          ]}
        />
      }
      note={
        `Before and now: the older and the newer half of a customer's orders. Missing: the newer ones at the older mean, less what they brought.${
          isCut
            ? ` The ${count(shown)} of ${count(data.spends_less_customers)} who leave most money missing.`
            : ""
        }`
      }
    />
  );
}
