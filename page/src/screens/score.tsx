import { here, replace, there, useAddress } from "../address";
import type { Score } from "../answers";
import { Figure, Waiting } from "../figure";
import { count, date, days, decimal, money, percent, scoresWords } from "../format";
import { useScene } from "../scene";
import { pathOf, useAnswer } from "../service";

const kFields = [
  { name: "recency_days", label: "Silent for", unit: "days", fallback: 30, least: 0, most: 36_500 },
  { name: "frequency", label: "Orders", unit: "number", fallback: 3, least: 1, most: 1_000 },
  { name: "monetary", label: "Money, net", unit: "", fallback: 500, least: 0, most: 1e12 },
  {
    name: "first_purchase_days",
    label: "First purchase",
    unit: "days ago",
    fallback: 200,
    least: 0,
    most: 36_500,
  },
] as const;
type Field = (typeof kFields)[number];

// What is wrong with what was typed; "": nothing.
function faultOf(field: Field, typed: string | null): string {
  if (typed === null) return "";
  const value = Number(typed);
  if (typed.trim() === "" || !Number.isFinite(value)) return `${field.label} is not a number`;
  if (value < field.least || value > field.most)
    return `${field.label} must be ${count(field.least)} to ${count(field.most)}`;
  if (field.name === "frequency" && !Number.isInteger(value))
    return `${field.label} must be a whole number`;
  return "";
}

export function ScoreScreen() {
  const address = useAddress();
  const { currency, order } = useScene();
  const typed = (field: Field) => address.params.get(field.name);
  const asked = Object.fromEntries(
    kFields.map((field) => [field.name, Number(typed(field) ?? field.fallback)]),
  );
  const faults = kFields.map((field) => faultOf(field, typed(field))).filter(Boolean);
  // Somebody silent since before the first purchase cannot be.
  const first = Math.max(asked.first_purchase_days, asked.recency_days);
  const answer = useAnswer<Score>(
    faults.length > 0 ? null : pathOf("/score", { ...asked, first_purchase_days: first }),
    0,
  );
  const data = answer.data;
  const silent = [...(data?.if_silent ?? [])].sort((a, b) => a.at.localeCompare(b.at));
  const median = (name: string): string => {
    const value = data?.medians?.[name as keyof NonNullable<Score["medians"]>];
    if (value === undefined || value === null) return "";
    const text =
      name === "monetary"
        ? money(value, currency)
        : name === "recency_days"
          ? days(value)
          : decimal(value);
    return `median: ${text}`;
  };

  return (
    <>
      <form
        class="panel fields"
        aria-label="A customer's figures"
        onSubmit={(event) => event.preventDefault()}
      >
        {kFields.map((field) => (
          <label key={field.name}>
            <span>
              {field.label} ({field.unit || currency || "money"})
            </span>
            <input
              type="number"
              min={field.least}
              max={field.most}
              step={field.name === "frequency" ? "1" : "any"}
              value={typed(field) ?? field.fallback}
              onChange={(event) =>
                replace(here(address, { [field.name]: event.currentTarget.value || null }))
              }
            />
            <small>{median(field.name)}</small>
          </label>
        ))}
      </form>
      {faults.length > 0 && (
        <p class="trouble" role="alert">
          {faults.join("; ")}. Nothing is reckoned until that is put right.
          {asked.frequency === 0 && " Who has not bought is in no segment and has no risk."}
        </p>
      )}
      {faults.length === 0 && first !== asked.first_purchase_days && (
        <p class="note">
          The first purchase cannot be after the last: {days(first)} are taken for both.
        </p>
      )}
      {faults.length > 0 ? null : !data ? (
        <Waiting answer={answer} />
      ) : (
        <>
          <dl class="numbers">
            {data.segments.map((one) => (
              <div key={one.segmentation}>
                <dt>{one.segmentation}</dt>
                <dd>{one.segment}</dd>
              </div>
            ))}
            <div>
              <dt>Risk of no purchase within 90 days</dt>
              <dd>{percent(data.churn_risk)}</dd>
            </div>
            <div>
              <dt>Value at risk within 90 days</dt>
              <dd>{money(data.value, currency)}</dd>
            </div>
          </dl>
          <Figure
            id="score"
            title="The segment in each segmentation, and why"
            unit="Scores with their cuts; distances to centroids (the nearest decides)"
            answer={answer}
            columns={[
              { key: "segmentation", label: "Segmentation" },
              {
                key: "segment",
                label: "Segment",
                link: (row) =>
                  there(address, "customers", { seg: row.segmentation, segment: row.segment }),
              },
              { key: "why", label: "Why" },
              { key: "description", label: "What they are like" },
              { key: "action", label: "What to do" },
            ]}
            rows={[...data.segments]
              .sort((a, b) => order(a.segment, b.segment))
              .map((one) => ({ ...one, why: why(one, data.churn_risk) }))}
            empty={<p>No segmentation is in force.</p>}
          />
          <Figure
            id="silent"
            title={
              silent[0]
                ? `If silent: ${silent[0].segmentation} becomes ${silent[0].segment} on ${date(silent[0].at)}`
                : "If silent"
            }
            unit="The next change in each segmentation"
            answer={answer}
            columns={[
              { key: "segmentation", label: "Segmentation" },
              { key: "segment", label: "Becomes" },
              { key: "at", label: "On", kind: "time" },
            ]}
            rows={silent}
            empty={<p>Silence changes nothing any more.</p>}
          />
        </>
      )}
    </>
  );
}

function why(one: Score["segments"][0], risk: number | undefined): string {
  const distances = Object.entries(one.distances ?? {})
    .sort((a, b) => a[1] - b[1])
    .map(([name, distance]) => `${name} ${decimal(distance)}`);
  const scores = scoresWords(one.scores, risk, one.cuts);
  return [scores, distances.join(", ")].filter(Boolean).join("; ");
}
