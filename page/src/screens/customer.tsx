import { there, useAddress } from "../address";
import type { Customer, Move } from "../answers";
import type { Draw } from "../chart";
import { Figure, Waiting } from "../figure";
import {
  count,
  date,
  days,
  exactMoney,
  money,
  percent,
  plural,
  reasonWords,
  scoresWords,
  short,
  time,
} from "../format";
import { moneyWords, useScene } from "../scene";
import { colourOf, inkOn, segmentWords, shade } from "../segments";
import { pathOf, Refusal, useAnswer } from "../service";
import type { Look } from "../theme";

interface Stay {
  segmentation: string;
  segment: string;
  from: string;
  to: string;
  future: boolean;
}

export function CustomerScreen() {
  const address = useAddress();
  const { span, currency } = useScene();
  const id = address.id.trim();
  // Not to be known is no fault that a browser should tell of.
  const asked = useAnswer<Customer>(
    id ? pathOf(`/customers/${encodeURIComponent(id)}`, { missing: "empty" }) : null,
  );
  const isKnown = asked.data?.customer_id !== undefined;
  const answer =
    (asked.data || !id) && !isKnown
      ? { ...asked, data: null, error: new Refusal(404, "there is no such customer") }
      : asked;
  if (!answer.data) {
    const whole = /^(\d+)\.0+$/.exec(id)?.[1]; // As a spreadsheet writes a number.
    return (
      <>
        <Waiting
          answer={answer}
          missing="No customer with this id is known: perhaps it is written otherwise, was erased, or has not bought yet."
        />
        {whole && answer.error?.status === 404 && (
          <p>
            In a table the id may be a number with decimals. Without them:{" "}
            <a href={there(address, "c", {}, whole)}>{whole}</a>
          </p>
        )}
      </>
    );
  }
  const data = answer.data;
  const history = data.history ?? [];
  const stays = staysOf(data);
  const ledger = (data.ledger ?? []).map((one) => ({ ...one, amount: Number(one.amount) }));
  const rows = ledger.filter(
    ({ time }) =>
      (!span.from || date(time) >= span.from) && (!span.to || date(time) <= span.to),
  );
  const left = ledger.length - rows.length;
  const invoices = ledger.filter((one) => one.amount >= 0).length;
  const next = Object.entries(data.segments)
    .flatMap(([name, one]) => (one.next ? [{ name, ...one.next }] : []))
    .sort((a, b) => a.at.localeCompare(b.at))[0];

  return (
    <>
      <dl class="numbers">
        <div>
          <dt>Silent for (R)</dt>
          <dd>{days(data.recency_days)}</dd>
        </div>
        <div>
          <dt>Orders (F)</dt>
          <dd>{count(data.frequency)}</dd>
        </div>
        <div>
          <dt>Money (M), {moneyWords(data)}</dt>
          <dd>{exactMoney(data.monetary, currency)}</dd>
        </div>
        <div>
          <dt>Risk of no purchase within 90 days</dt>
          <dd>{percent(data.churn_risk)}</dd>
        </div>
        <div>
          <dt>Country</dt>
          <dd>{data.country || "–"}</dd>
        </div>
      </dl>
      <Figure
        id="timeline"
        title={
          next
            ? `If silent: ${next.name} becomes ${next.segment} on ${date(next.at)}, after ${plural(invoices, "invoice")}`
            : `Timeline: ${plural(invoices, "invoice")} since ${date(data.first_purchase)}`
        }
        unit={`${currency || "Money"} an invoice or credit; segments below`}
        answer={answer}
        span={span.from || span.to ? span.words : "all there is"}
        columns={[
          { key: "time", label: "When", kind: "time" },
          { key: "type", label: "What" },
          { key: "amount", label: "Amount", kind: "money" },
        ]}
        rows={rows}
        isEmpty={ledger.length === 0}
        empty={<p>The state holds no invoice of this customer: all are older than the window.</p>}
        draw={drawTimeline(ledger, stays, data, span.from, span.to, currency)}
        height={260 + 34 * new Set(stays.map((one) => one.segmentation)).size}
        note={`${left > 0 ? `${plural(left, "invoice or credit", "invoices and credits")} of other dates not shown. ` : ""}Bars up: invoices, down: credits; of their numbers only a hash is kept, so none is shown. Bands: segments; pale bands: what follows if the customer stays silent.`}
      />
      <Figure
        id="now"
        title="Segments now, and what comes next in silence"
        unit="One row a segmentation"
        answer={answer}
        columns={[
          { key: "segmentation", label: "Segmentation" },
          {
            key: "segment",
            label: "Segment",
            link: (row) =>
              there(address, "customers", { seg: row.segmentation, segment: row.segment }),
          },
          { key: "since", label: "Since", kind: "time" },
          { key: "scores", label: "Scores (5 is best) or risk" },
          { key: "next", label: "If silent" },
          { key: "at", label: "On", kind: "time" },
        ]}
        rows={Object.entries(data.segments).map(([segmentation, one]) => ({
          segmentation,
          segment: one.segment,
          since: one.since,
          scores: scoresWords(one.scores, data.churn_risk),
          next: one.next?.segment ?? "stays",
          at: one.next?.at,
        }))}
        empty={<p>The customer is in no segment.</p>}
      />
      <Figure
        id="history"
        title={`${plural(history.length, "move")}, and why`}
        unit="One row a move"
        answer={answer}
        span="all there is"
        columns={[
          { key: "date", label: "When", kind: "date" },
          { key: "segmentation", label: "Segmentation" },
          { key: "from", label: "From", words: (name) => segmentWords(name) },
          { key: "to", label: "To", words: (name) => segmentWords(name, "to") },
          { key: "reason", label: "Because of", words: reasonWords },
          { key: "detail", label: "That is" },
          { key: "actionable", label: "To act on", words: (act) => (act ? "yes" : "no") },
        ]}
        rows={[...history].reverse().map((move) => ({
          ...move,
          detail: detailOf(move, ledger, currency),
        }))}
        note="The state keeps the day and the reason of a move; of moves on one day the later stands above. Segments now, above, has the time of the newest. What a move was explained with is in the published transition and in rfmstream export transitions."
        empty={<p>The customer has not changed the segment since histories are kept.</p>}
      />
      <Figure
        id="deadlines"
        title="What silence brings, and when"
        unit="Instants at which something is looked at again"
        answer={answer}
        columns={[
          { key: "at", label: "When", kind: "time" },
          { key: "what", label: "What" },
        ]}
        rows={data.deadlines ?? []}
        empty={<p>Nothing more follows from silence.</p>}
      />
    </>
  );
}

// What the invoices say of a move's day: the purchase itself, or how long the silence was.
function detailOf(
  move: Move,
  ledger: { time: string; amount: number }[],
  currency: string,
): string {
  if (move.reason === "inactivity") {
    const last = ledger.filter((one) => one.amount >= 0 && one.time.slice(0, 10) < move.date).pop();
    if (!last) return "";
    const silent = (Date.parse(move.date) - Date.parse(last.time.slice(0, 10))) / 86_400_000;
    return `${plural(silent, "day")} since the purchase on ${date(last.time)}`;
  }
  if (move.reason !== "purchase" && move.reason !== "return") return "";
  return ledger
    .filter((one) => one.time.slice(0, 10) === move.date)
    .filter((one) => one.amount >= 0 === (move.reason === "purchase"))
    .map((one) => `${exactMoney(one.amount, currency)} at ${one.time.slice(11, 16)}`)
    .join(", ");
}

function staysOf(data: Customer): Stay[] {
  const asOf = data.as_of ?? "";
  const stays: Stay[] = [];
  for (const [segmentation, now] of Object.entries(data.segments)) {
    const moves = (data.history ?? [])
      .filter((move) => move.segmentation === segmentation)
      .sort((a, b) => a.date.localeCompare(b.date));
    moves.forEach((move, index) => {
      const to = moves[index + 1]?.date ?? asOf;
      if (move.to && move.date < to)
        stays.push({ segmentation, segment: move.to, from: move.date, to, future: false });
    });
    if (moves.length === 0)
      stays.push({ segmentation, segment: now.segment, from: now.since, to: asOf, future: false });
    const { next } = now;
    stays.push({ segmentation, segment: now.segment, from: asOf, to: next?.at ?? "", future: true });
    if (next) {
      stays.push({ segmentation, segment: next.segment, from: next.at, to: "", future: true });
    }
  }
  return stays;
}

function drawTimeline(
  ledger: { time: string; type: string; amount: number }[],
  stays: Stay[],
  data: Customer,
  from: string,
  to: string,
  currency: string,
): Draw {
  const rows = [...new Set(stays.map((stay) => stay.segmentation))];
  const asOf = data.as_of ?? "";
  const first = from || date(data.first_purchase ?? asOf);
  const dayMs = 86_400_000;
  const start = Date.parse(first);
  const shownTo = to && to < asOf.slice(0, 10) ? Date.parse(to) + dayMs : Date.parse(asOf);
  const isPast = shownTo < Date.parse(asOf);
  const next = stays.filter((stay) => stay.future && stay.to).map((stay) => Date.parse(stay.to));
  const ahead = Math.max(30 * dayMs, (shownTo - start) * 0.35);
  const soon = next.length ? Math.min(...next) + 20 * dayMs : shownTo;
  const end = isPast ? shownTo : Math.max(shownTo + ahead, Math.min(soon, shownTo + 2 * ahead));
  const clamp = (at: number) => Math.min(end, Math.max(start, at));
  const visible = stays.filter(
    (stay) => Date.parse(stay.from) < end && (!stay.to || Date.parse(stay.to) > start),
  );
  const axis = { type: "time", min: start, max: end };
  return (look) => ({
    tooltip: { trigger: "item" },
    grid: [
      { left: 110, right: 16, top: 16, height: 180 },
      { left: 110, right: 16, top: 216, height: 34 * rows.length },
    ],
    xAxis: [
      { ...axis, gridIndex: 0, axisLabel: { show: false }, axisLine: { onZero: true } },
      { ...axis, gridIndex: 1 },
    ],
    yAxis: [
      { type: "value", gridIndex: 0, axisLabel: { formatter: short } },
      {
        type: "category",
        gridIndex: 1,
        inverse: true,
        data: rows,
        axisLabel: { color: look.text },
      },
    ],
    series: [
      {
        name: "Invoices and credits",
        type: "custom", // Bars would widen the axis, and the bands below would stand elsewhere.
        encode: { x: 0, y: 1 },
        clip: true,
        data: ledger
          .filter((one) => Date.parse(one.time) >= start && Date.parse(one.time) <= end)
          .map((one) => [one.time, one.amount]),
        renderItem: (_: unknown, api: any) => stick(api, look),
        tooltip: {
          formatter: (one: { value: [string, number] }) =>
            `${time(one.value[0])} UTC: ${money(one.value[1], currency)}`,
        },
        markLine: {
          symbol: "none",
          silent: true,
          lineStyle: { color: look.text, type: "dashed" },
          label: { formatter: "now", color: look.text },
          data: isPast ? [] : [{ xAxis: asOf }],
        },
      },
      {
        name: "Segments",
        type: "custom",
        xAxisIndex: 1,
        yAxisIndex: 1,
        clip: true,
        encode: { x: [0, 1], y: 2 },
        tooltip: {
          formatter: (one: { dataIndex: number }) => {
            const stay = visible[one.dataIndex];
            return `${stay.segmentation}: ${stay.segment}, ${date(stay.from)} to ${stay.to ? date(stay.to) : "…"}${stay.future ? ", if silent" : ""}`;
          },
        },
        data: visible.map((stay) => [
          clamp(Date.parse(stay.from)),
          clamp(stay.to ? Date.parse(stay.to) : end),
          rows.indexOf(stay.segmentation),
        ]),
        renderItem: (one: { dataIndex: number }, api: any) =>
          band(visible[one.dataIndex], api, look),
      },
    ],
  });
}

function stick(api: any, look: Look): unknown {
  const [x, y] = api.coord([api.value(0), api.value(1)]);
  const zero = api.coord([api.value(0), 0])[1];
  const height = Math.max(1, Math.abs(zero - y));
  return {
    type: "rect",
    shape: { x: x - 2.5, y: Math.min(y, zero), width: 5, height },
    style: { fill: api.value(1) < 0 ? look.bad : look.good },
  };
}

// One stay: a box in the segment's colour, paler and dashed where it is the future.
function band(stay: Stay, api: any, look: Look): unknown {
  const [left, middle] = api.coord([api.value(0), api.value(2)]);
  const width = Math.max(1, api.coord([api.value(1), api.value(2)])[0] - left);
  const colour = stay.future
    ? shade(look.surface, colourOf(stay.segment), 0.3)
    : colourOf(stay.segment);
  return {
    type: "rect",
    shape: { x: left, y: middle - 12, width, height: 24, r: 2 },
    style: {
      fill: colour,
      stroke: stay.future ? colourOf(stay.segment) : look.surface,
      lineDash: stay.future ? [4, 3] : undefined,
      lineWidth: 1,
    },
    textContent:
      width > 60
        ? {
            type: "text",
            style: {
              text: stay.segment,
              fill: inkOn(colour),
              width: width - 8,
              overflow: "truncate",
              fontSize: 12,
            },
          }
        : undefined,
    textConfig: { position: "inside" },
  };
}
