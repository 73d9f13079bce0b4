import { there, useAddress } from "../address";
import type { Segment, Segments, Transitions, Version } from "../answers";
import type { Draw } from "../chart";
import { Choose, Figure, Waiting } from "../figure";
import { count, money, percent, percentOf, plural, short } from "../format";
import { moneyWords, movesFrom, useScene } from "../scene";
import { colourOf, isNobody, memberWords, shade } from "../segments";
import { pathOf, useAnswer } from "../service";

// The segments at the end of the dates. Of an earlier day only customers and money are known.
function segmentsAt(data: Segments, to: string, today: string): { rows: Segment[]; past: boolean } {
  const ranked = [...data.segments].sort((a, b) => b.rank - a.rank);
  const day = to && to < today ? [...data.days].reverse().find((one) => one.date <= to) : undefined;
  if (!day) return { rows: ranked, past: false };
  const customers = Object.values(day.segments).reduce((sum, one) => sum + one[0], 0);
  const monetary = Object.values(day.segments).reduce((sum, one) => sum + one[1], 0);
  const nothing = null as unknown as number;
  // Segments that nobody is in now may have had members then.
  const others = Object.keys(day.segments)
    .filter((name) => !ranked.some((one) => one.name === name))
    .map((name) => ({ name, rank: nothing, description: "", action: "" }));
  const rows = [...ranked, ...others].map((one) => {
    const [here, amount] = day.segments[one.name] ?? [0, 0];
    return {
      ...one,
      customers: here,
      monetary: amount,
      share: customers ? here / customers : 0,
      revenue_share: monetary ? amount / monetary : 0,
      orders: nothing,
      aov: nothing,
      recency_days: nothing,
      frequency: nothing,
      monetary_mean: here ? amount / here : nothing,
      churn_risk: null,
    };
  });
  return { rows, past: true };
}

export function OverviewScreen() {
  const address = useAddress();
  const { span, segmentation, order, today, currency } = useScene();
  const asked = { segmentation, from: span.from, to: span.to };
  const answer = useAnswer<Segments>(pathOf("/segments", asked));
  const moves = useAnswer<Transitions>(pathOf("/transitions", { ...asked, from: movesFrom(span) }));
  if (!answer.data) return <Waiting answer={answer} />;
  const data = answer.data;
  const { rows, past } = segmentsAt(data, span.to, today);
  const customers = rows.reduce((sum, one) => sum + one.customers, 0);
  const monetary = rows.reduce((sum, one) => sum + one.monetary, 0);
  const best = [...rows].sort((a, b) => b.monetary - a.monetary)[0];
  const actionable = moves.data?.days.reduce((sum, day) => sum + day.actionable, 0);
  const names = rows.map((one) => one.name).sort(order);
  const bought = rows
    .filter((one) => !isNobody(one.name))
    .reduce((sum, one) => sum + one.customers, 0);
  const at = past ? `on ${span.to}` : "now";

  return (
    <>
      <dl class="numbers">
        <div>
          <dt>
            Customers {at}
            {bought < customers && `, of whom ${count(bought)} bought`}
          </dt>
          <dd>{count(customers)}</dd>
        </div>
        <div>
          <dt>Worth of these customers, {moneyWords(data)}</dt>
          <dd>{money(monetary, currency)}</dd>
        </div>
        <div>
          <dt>Largest by money</dt>
          <dd>{best && best.monetary > 0 ? best.name : "–"}</dd>
        </div>
        <div>
          <dt>Moves to act on, {span.words}</dt>
          <dd>{count(actionable)}</dd>
        </div>
      </dl>
      <Figure
        id="segments"
        title={
          best && customers
            ? `${best.name}: ${percentOf(best.customers, customers, "customers")} bring ${percent(monetary ? best.monetary / monetary : 0)} of ${money(monetary, currency)}`
            : "Segments"
        }
        unit={`Share of customers and of money, ${moneyWords(data)}`}
        answer={answer}
        span={past ? `on ${span.to}` : undefined}
        columns={[
          {
            key: "name",
            label: "Segment",
            words: memberWords,
            link: (row) => there(address, "customers", { segment: row.name }),
          },
          { key: "customers", label: "Customers", kind: "count" },
          { key: "share", label: `Share of ${count(customers)} customers`, kind: "percent" },
          { key: "monetary", label: "Money", kind: "money" },
          { key: "revenue_share", label: `Share of ${money(monetary, currency)}`, kind: "percent" },
          { key: "orders", label: "Orders", kind: "count" },
          { key: "aov", label: "Money an order", kind: "money" },
          { key: "monetary_mean", label: "Money a customer", kind: "money" },
          { key: "recency_days", label: "Silent, mean", kind: "days" },
          { key: "frequency", label: "Orders a customer", kind: "decimal" },
          { key: "churn_risk", label: "Churn risk, mean", kind: "percent" },
          { key: "description", label: "What they are like" },
          { key: "action", label: "What to do" },
        ]}
        rows={customers ? rows : []}
        empty={
          <p>
            No customer is in a segment of {segmentation}. Events have to be applied first: see{" "}
            <a href={there(address, "pipeline")}>Pipeline</a>.
          </p>
        }
        draw={drawShares(rows)}
        height={60 + 40 * rows.length}
        onPick={(picked) => {
          location.hash = there(address, "customers", { segment: picked.name });
        }}
        note={
          past
            ? "Orders, silence and risk are known as of now only, so they are left out for an earlier day."
            : "A bar or a name leads to its customers."
        }
      />
      <SizesFigure data={data} answer={answer} names={names} />
      <Figure
        id="actionable"
        title={
          moves.data
            ? `${plural(actionable ?? 0, "move")} to act on, of ${plural(
                moves.data.days.reduce((sum, day) => sum + day.moves, 0),
                "move",
              )} in ${segmentation}`
            : "Moves a day"
        }
        unit="Moves a day"
        answer={moves}
        span={span.words}
        columns={[
          { key: "date", label: "Day", kind: "date" },
          { key: "actionable", label: "To act on", kind: "count" },
          { key: "others", label: "Others", kind: "count" },
          { key: "moves", label: "All", kind: "count" },
        ]}
        rows={(moves.data?.days ?? []).map((day) => ({
          ...day,
          others: day.moves - day.actionable,
        }))}
        empty={
          <p>Nobody changed the segment of {segmentation} in these dates. Choose longer ones.</p>
        }
        draw={drawMoves(moves.data)}
        height={240}
        note="Others are caused by other customers, a model or rules, are history, or wait because the customer is being acted on already."
      />
    </>
  );
}

function drawShares(rows: Segment[]): Draw {
  return (look) => ({
    legend: { data: ["Share of customers", "Share of money"], selectedMode: false },
    grid: { left: 8, right: 48, top: 34, bottom: 8, containLabel: true },
    tooltip: {
      trigger: "axis",
      axisPointer: { type: "shadow" },
      valueFormatter: (value: unknown) => percent(value as number),
    },
    xAxis: {
      type: "value",
      // A share of money a little below nothing is no reason for room on the left.
      min: (shares: { min: number }) => (shares.min > -0.02 ? 0 : null),
      axisLabel: { formatter: (value: number) => percent(value) },
    },
    yAxis: {
      type: "category",
      inverse: true,
      data: rows.map((one) => one.name),
      axisLabel: { color: look.text, formatter: memberWords },
    },
    series: [
      {
        name: "Share of customers",
        type: "bar",
        color: look.muted,
        barGap: "10%",
        data: rows.map((one) => ({
          value: one.share,
          itemStyle: { color: shade(look.surface, colourOf(one.name), 0.45) },
        })),
        label: { show: true, position: "right", color: look.muted, formatter: valueLabel },
      },
      {
        name: "Share of money",
        type: "bar",
        color: look.text,
        data: rows.map((one) => ({
          value: one.revenue_share,
          itemStyle: { color: colourOf(one.name) },
        })),
        label: { show: true, position: "right", color: look.text, formatter: valueLabel },
      },
    ],
  });
}

function valueLabel(label: { value: unknown }): string {
  return percent(label.value as number);
}

function drawMoves(data: Transitions | null): Draw {
  return (look) => ({
    legend: {},
    tooltip: { trigger: "axis" },
    xAxis: { type: "time" },
    yAxis: { type: "value", minInterval: 1, axisLabel: { formatter: short } },
    series: [
      {
        name: "To act on",
        type: "bar",
        stack: "moves",
        color: look.accent,
        data: data?.days.map((day) => [day.date, day.actionable]),
      },
      {
        name: "Others",
        type: "bar",
        stack: "moves",
        color: look.dark ? "#5b6673" : "#c2c9d1",
        data: data?.days.map((day) => [day.date, day.moves - day.actionable]),
      },
    ],
  });
}

// --- sizes over time ---

function SizesFigure(props: {
  data: Segments;
  answer: Parameters<typeof Figure>[0]["answer"];
  names: string[];
}) {
  const { params } = useAddress();
  const { span, currency, order } = useScene();
  const measure = params.get("of") === "money" ? 1 : 0;
  const { days } = props.data;
  const versions = props.data.versions.filter(
    ({ at }) => at.slice(0, 10) >= span.from && (!span.to || at.slice(0, 10) <= span.to),
  );
  const names = [
    ...new Set([...props.names, ...days.flatMap((day) => Object.keys(day.segments))]),
  ].sort(order);
  const rows = days.map((day) => {
    const row: Record<string, string | number> = { date: day.date };
    for (const name of names) row[name] = day.segments[name]?.[measure] ?? 0;
    return row;
  });
  const kind = measure ? "money" : "count";
  return (
    <Figure
      id="sizes"
      title={grown(rows, names, measure, currency)}
      unit={measure ? moneyWords(props.data) : "Customers"}
      answer={props.answer}
      span={span.words}
      columns={[
        { key: "date", label: "Day", kind: "date" },
        ...names.map((name) => ({ key: name, label: name, kind: kind as "money" | "count" })),
      ]}
      rows={rows}
      empty={<p>No day in these dates has figures. Choose longer ones, or “all there is”.</p>}
      draw={drawSizes(rows, names, versions, measure, currency)}
      height={380}
      controls={
        <Choose
          label="Show"
          name="of"
          options={[
            ["customers", "customers"],
            ["money", "money"],
          ]}
        />
      }
      note={versionNote(versions)}
    />
  );
}

function grown(
  rows: Record<string, string | number>[],
  names: string[],
  measure: number,
  currency: string,
): string {
  if (rows.length < 2) return "Sizes of the segments by day";
  const [first, last] = [rows[0], rows[rows.length - 1]];
  const change = (name: string) => Number(last[name]) - Number(first[name]);
  const most = [...names].sort((a, b) => Math.abs(change(b)) - Math.abs(change(a)))[0];
  const by = change(most);
  if (by === 0) return "No segment changed its size";
  const amount = measure ? money(Math.abs(by), currency) : plural(Math.abs(by), "customer");
  return `${most} ${by > 0 ? "grew" : "shrank"} most: by ${amount} to ${measure ? money(last[most] as number, currency) : count(last[most] as number)}`;
}

function versionNote(versions: Version[]): string {
  const models = versions.filter((one) => one.kind === "model").length;
  const rules = versions.filter((one) => one.kind === "rules").length;
  if (models + rules === 0) return "No model or rules changed in these dates.";
  const { marks, which } = marked(versions);
  const lines =
    marks.length > 0
      ? `A dashed line stands for each${which}; pointed at it tells what changed`
      : `There is none${which}, and so no line`;
  return `${plural(models, "model version")} and ${plural(rules, "version")} of rules took effect in these dates. ${lines}.`;
}

const kMarksMax = 12; // More would look like a grid.

// Of many versions those that changed most: rules, and models that did more than every day's.
function marked(versions: Version[]): { marks: Version[]; which: string } {
  if (versions.length <= kMarksMax) return { marks: versions, which: "" };
  const some = (what: RegExp) =>
    versions.filter((one) => one.kind !== "model" || what.test(one.what));
  const fitted = some(/fit|first/i);
  if (fitted.length <= kMarksMax)
    return { marks: fitted, which: " that brought other rules or newly fitted clusters" };
  return { marks: some(/first|other/i), which: " that brought other rules, or the first or other clusters" };
}

function drawSizes(
  rows: Record<string, string | number>[],
  names: string[],
  versions: Version[],
  measure: number,
  currency: string,
): Draw {
  const { marks } = marked(versions);
  return (look) => ({
    legend: { data: names, icon: "roundRect", formatter: memberWords },
    tooltip: {
      trigger: "axis",
      valueFormatter: (value: unknown) =>
        measure ? money(value as number, currency) : count(value as number),
    },
    xAxis: { type: "time" },
    yAxis: { type: "value", axisLabel: { formatter: short } },
    // The best segment on top, so it is drawn last.
    series: [...names].reverse().map((name, index) => ({
      name,
      type: "line",
      stack: "all",
      symbol: "none",
      color: colourOf(name),
      lineStyle: { width: 1 },
      areaStyle: { opacity: 0.85 },
      data: rows.map((row) => [row.date, row[name]]),
      ...(index === 0 && {
        markLine: {
          symbol: "none",
          lineStyle: { color: look.text, type: "dashed", width: 1.5, opacity: 0.8 },
          label: {
            show: true,
            position: "insideEndTop", // Along the line.
            color: look.text,
            textBorderColor: look.surface,
            textBorderWidth: 3,
            formatter: (mark: { data: { short: string } }) => mark.data.short,
          },
          tooltip: {
            formatter: (mark: { data: { what: string } }) => mark.data.what,
          },
          data: marks.map((one) => ({
            xAxis: one.at,
            short: `${one.kind} ${one.number}`,
            what: `${one.kind} ${one.number}: ${one.what}`,
          })),
        },
      }),
    })),
  });
}
