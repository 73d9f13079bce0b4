import { here, numberOf, there, useAddress } from "../address";
import type { Flow, MovedCustomers, Transitions } from "../answers";
import { Beyond, Figure, type FigureProps, kListedMax, Pages, Since, Waiting } from "../figure";
import { count, money, percentOf, plural, reasonWords, short } from "../format";
import { moneyWords, movesFrom, useScene } from "../scene";
import { segmentWords } from "../segments";
import { pathOf, useAnswer } from "../service";
import { MatrixFigure, NobodyMoved, SankeyFigure, type Step } from "./moves_matrix";

const kSize = 50;

export function MovesScreen() {
  const address = useAddress();
  const { params } = address;
  const { span, segmentation } = useScene();
  const reason = params.get("reason") ?? "";
  const asked = { segmentation, from: movesFrom(span), to: span.to, reason };
  const answer = useAnswer<Transitions>(pathOf("/transitions", asked));
  if (!answer.data) return <Waiting answer={answer} />;
  const data = answer.data;
  const gross = params.get("by") === "gross" || reason !== "";
  const steps = gross
    ? summed(data.flows)
    : data.net.map((one) => ({ ...one, amount: one.customers }));
  const moved = steps.filter((one) => one.from !== one.to && one.amount > 0);

  return (
    <>
      <Since answer={data} />
      <MatrixFigure answer={answer} moved={moved} gross={gross} />
      {params.get("from_segment") && (
        <CellCustomers
          key={`${params.get("from_segment")}\n${params.get("to_segment")}\n${gross}`}
          gross={gross}
        />
      )}
      <SankeyFigure answer={answer} moved={moved} gross={gross} />
      <ReasonsFigure answer={answer} />
    </>
  );
}

function summed(flows: Flow[]): Step[] {
  const sums = new Map<string, Step>();
  for (const flow of flows) {
    const key = JSON.stringify([flow.from, flow.to]);
    const step = sums.get(key) ?? { from: flow.from, to: flow.to, amount: 0 };
    step.amount += flow.moves;
    sums.set(key, step);
  }
  return [...sums.values()];
}

function ReasonsFigure(props: { answer: FigureProps["answer"] }) {
  const { span, segmentation, currency } = useScene();
  const data = props.answer.data as Transitions;
  const sums = new Map<
    string,
    { reason: string; actionable: number; others: number; monetary: number }
  >();
  for (const flow of data.flows) {
    const sum = sums.get(flow.reason) ?? {
      reason: flow.reason,
      actionable: 0,
      others: 0,
      monetary: 0,
    };
    if (flow.actionable) sum.actionable += flow.moves;
    else sum.others += flow.moves;
    sum.monetary += flow.monetary;
    sums.set(flow.reason, sum);
  }
  const rows = [...sums.values()]
    .sort((a, b) => b.actionable + b.others - a.actionable - a.others)
    .map((one) => ({ ...one, words: reasonWords(one.reason), moves: one.actionable + one.others }));
  const total = rows.reduce((sum, one) => sum + one.moves, 0);
  const own = rows
    .filter((one) => !["population_shift", "model_change", "rules_change"].includes(one.reason))
    .reduce((sum, one) => sum + one.moves, 0);
  return (
    <Figure
      id="reasons"
      title={`Why: ${percentOf(own, total, "moves")} are of the customers' own doing or silence`}
      unit={`Moves in ${segmentation}`}
      answer={props.answer}
      span={span.words}
      columns={[
        { key: "reason", label: "Reason", words: reasonWords },
        { key: "moves", label: "Moves", kind: "count" },
        { key: "actionable", label: "To act on", kind: "count" },
        { key: "others", label: "Others", kind: "count" },
        { key: "monetary", label: `Money behind the moves, ${moneyWords(data)}`, kind: "money" },
      ]}
      rows={rows}
      empty={<NobodyMoved data={data} />}
      height={70 + 36 * rows.length}
      draw={(look) => ({
        legend: {},
        tooltip: { trigger: "axis", axisPointer: { type: "shadow" } },
        xAxis: { type: "value", minInterval: 1, axisLabel: { formatter: short } },
        yAxis: {
          type: "category",
          inverse: true,
          data: rows.map((one) => one.words),
          axisLabel: { color: look.text },
        },
        series: [
          {
            name: "To act on",
            type: "bar",
            stack: "all",
            color: look.accent,
            data: rows.map((one) => one.actionable),
          },
          {
            name: "Others",
            type: "bar",
            stack: "all",
            color: look.dark ? "#5b6673" : "#c2c9d1",
            data: rows.map((one) => one.others),
          },
        ],
      })}
      note={`${plural(data.moved_customers, "customer")} made these moves; they are worth ${money(data.moved_monetary, currency)}, each counted once. In the table the money counts at each move.`}
    />
  );
}

// --- the customers of a cell ---

// Gross: who made this move. Net: who were there before the first date and are here after the last.
function CellCustomers({ gross }: { gross: boolean }) {
  const address = useAddress();
  const { params } = address;
  const { span, segmentation } = useScene();
  const [from, to] = [params.get("from_segment") ?? "", params.get("to_segment") ?? ""];
  const page = numberOf(address, "page", 1);
  const isBeyond = page * kSize > kListedMax;
  const answer = useAnswer<MovedCustomers>(
    isBeyond
      ? null
      : pathOf("/transitions/customers", {
          segmentation,
          from: movesFrom(span),
          to: span.to,
          by: gross ? "gross" : "net",
          reason: params.get("reason"),
          from_segment: from,
          to_segment: to,
          page: page - 1,
          size: kSize,
        }),
  );
  if (isBeyond) return <Beyond table="transitions" />;
  if (!answer.data) return <Waiting answer={answer} />;
  const rows = answer.data.customers.map((one) => ({
    customer_id: one.customer_id,
    monetary: one.monetary,
    moves: one.moves
      .map(
        (move) =>
          `${move.date.slice(0, 10)} ${move.from} → ${move.to} (${reasonWords(move.reason)})`,
      )
      .join("; "),
  }));
  return (
    <>
      <Figure
        id="cell"
        title={`${segmentWords(from)} → ${segmentWords(to, "to")}: ${plural(answer.data.total, "customer")}`}
        unit={
          gross
            ? `Customers who made this move in ${segmentation}, and when; ${moneyWords(answer.data)}`
            : `Customers by where they were before the first date and are after the last, and all their moves in ${segmentation} between; ${moneyWords(answer.data)}`
        }
        opened={`${from}\n${to}\n${page}`}
        answer={answer}
        span={span.words}
        columns={[
          {
            key: "customer_id",
            label: "Customer",
            link: (row) => there(address, "c", {}, row.customer_id),
          },
          { key: "monetary", label: "Money", kind: "money" },
          { key: "moves", label: "Moves" },
        ]}
        rows={rows}
        empty={
          <p>
            {page > 1
              ? `There is no page ${page}.`
              : gross
              ? `Nobody moved from ${segmentWords(from)} to ${segmentWords(to, "to")} in these dates.`
              : `Nobody was in ${segmentWords(from)} before the first date and in ${segmentWords(to, "to")} after the last.`}
          </p>
        }
        controls={
          <a href={here(address, { from_segment: null, to_segment: null, page: null })}>Close</a>
        }
        wholeTable
        note={`The CSV holds this page; rfmstream export transitions writes all of them. At most ${count(kListedMax)} are listed here.`}
      />
      <Pages total={answer.data.total} size={kSize} />
    </>
  );
}
