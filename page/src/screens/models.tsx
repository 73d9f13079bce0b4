import { there, useAddress } from "../address";
import type { Churn, Model, ModelVersion } from "../answers";
import type { Draw } from "../chart";
import { Choose, Figure, Waiting } from "../figure";
import { count, days, decimal, kNothing, money, percent, plural, time } from "../format";
import { useScene } from "../scene";
import { useAnswer } from "../service";

type FigureAnswer = Parameters<typeof Figure>[0]["answer"];

export function ModelsScreen() {
  const { span } = useScene();
  const answer = useAnswer<Model>("/model", 30);
  if (!answer.data) return <Waiting answer={answer} />;
  const versions = answer.data.versions
    .filter(
      (one) =>
        (!span.from || one.at.slice(0, 10) >= span.from) &&
        (!span.to || one.at.slice(0, 10) <= span.to),
    )
    .sort((a, b) => a.number - b.number);
  const all = [...answer.data.versions].sort((a, b) => a.number - b.number);
  const fits = versions.filter((one) => typeof one.inertia === "number");
  const oldest = all[0]?.at.slice(0, 10) ?? "";
  // Of many versions the service tells of the newest.
  const isCut = answer.data.total > all.length && (!span.from || span.from < oldest);
  return (
    <>
      {isCut && (
        <p class="note">
          The service tells of the newest {count(all.length)} of {count(answer.data.total)} versions,
          of those since {oldest}: what is below knows of none before.
        </p>
      )}
      <ClustersFigure answer={answer} versions={all} />
      <FitsFigure answer={answer} versions={fits} />
      <ChurnFigure answer={answer} versions={versions} />
      <VersionsFigure answer={answer} versions={versions} newest={isCut ? all.length : null} />
    </>
  );
}

function hasClusters(version: ModelVersion): boolean {
  return (version.clusters ?? []).length > 0;
}

// Two versions side by side; the newer one alone when there is no other.
function ClustersFigure(props: { answer: FigureAnswer; versions: ModelVersion[] }) {
  const address = useAddress();
  const { params } = address;
  const { currency } = useScene();
  const versions = props.versions.filter(hasClusters);
  const newest = versions[versions.length - 1];
  const numbered = (name: string) =>
    versions.find((one) => String(one.number) === params.get(name));
  const now = numbered("version") ?? newest;
  const before = numbered("other") ?? (versions.length > 1 ? versions[0] : undefined);
  const older = (name: string) => before?.clusters?.find((one) => one.name === name);
  const clusters = [...(now?.clusters ?? [])].sort((a, b) => b.monetary - a.monetary);
  const rows = clusters.map((one) => ({
    ...one,
    recency_before: older(one.name)?.recency_days,
    frequency_before: older(one.name)?.frequency,
    monetary_before: older(one.name)?.monetary,
    share_before: older(one.name)?.share,
  }));
  const richest = clusters[0];
  const options = [...versions]
    .reverse()
    .map((one): [string, string] => [String(one.number), `${one.number}: ${one.at.slice(0, 10)}`]);
  const was = before && before !== now ? ` in ${before.number}` : null;
  return (
    <Figure
      id="clusters"
      title={
        richest
          ? `${richest.name}: typically ${decimal(richest.frequency)} orders, ${money(richest.monetary, currency)}, ${days(richest.recency_days)} of silence`
          : "What the clusters are like"
      }
      unit={`Centroids of version ${now?.number ?? kNothing}: days, orders, ${currency || "money"}`}
      answer={props.answer}
      span={
        now
          ? `version ${now.number}, ${now.at.slice(0, 10)}${was ? ` beside ${before?.number}, ${before?.at.slice(0, 10)}` : ""}`
          : undefined
      }
      columns={[
        { key: "name", label: "Cluster" },
        { key: "words", label: "In words" },
        { key: "share", label: "Share of customers", kind: "percent" },
        { key: "recency_days", label: "Silent", kind: "days" },
        { key: "frequency", label: "Orders", kind: "decimal" },
        { key: "monetary", label: "Money", kind: "money" },
        ...(was
          ? [
              ...(rows.some((row) => typeof row.share_before === "number")
                ? [{ key: "share_before", label: `Share${was}`, kind: "percent" as const }]
                : []),
              { key: "recency_before", label: `Silent${was}`, kind: "days" as const },
              { key: "frequency_before", label: `Orders${was}`, kind: "decimal" as const },
              { key: "monetary_before", label: `Money${was}`, kind: "money" as const },
            ]
          : []),
      ]}
      rows={rows}
      note={
        <>
          How many there should be: <a href={there(address, "k")}>Cluster count</a>.
        </>
      }
      empty={
        <p>
          No version has clusters yet. The first ones are fitted 49 days after the first trained
          cuts (model.cluster_history), and those at 500 customers (model.population_on).
        </p>
      }
      controls={
        newest && (
          <>
            <Choose label="Version" name="version" options={options} />
            <Choose label="beside" name="other" options={[["", "the first"], ...options]} />
          </>
        )
      }
    />
  );
}

// What is drawn; a silhouette that is known of the last fit alone is said with it.
function fitWords(last: ModelVersion): string {
  if (last.silhouette === undefined || last.silhouette === null) {
    return `Inertia ${decimal(last.inertia)} a customer at the last fit, drift ${decimal(last.drift)}`;
  }
  const says =
    last.silhouette < 0.5
      ? "customers pass into each other; how finely to divide them is a choice"
      : "the clusters stand apart";
  return `Inertia ${decimal(last.inertia)} a customer and drift ${decimal(last.drift)} at the last fit; silhouette ${decimal(last.silhouette)}: ${says}`;
}

const kFits = [
  { key: "silhouette", name: "Silhouette", words: "Silhouette (−1 to 1, higher is better)" },
  {
    key: "inertia",
    name: "Inertia",
    words: "inertia (mean squared distance of a customer to his centroid, scaled; lower is better)",
  },
  { key: "drift", name: "Drift", words: "drift (the way the centroids have gone since the first fit, all steps added up; scaled)" },
] as const;
type Fit = (typeof kFits)[number];

// Only what the service tells of its fits.
function FitsFigure(props: { answer: FigureAnswer; versions: ModelVersion[] }) {
  const { span } = useScene();
  const { versions } = props;
  const last = versions[versions.length - 1];
  const known = (fit: Fit) =>
    versions.filter((one) => typeof one[fit.key] === "number").length;
  const columns = kFits.filter((fit) => known(fit) > 0);
  const told = kFits.filter((fit) => known(fit) > 1);
  return (
    <Figure
      id="fits"
      title={last ? fitWords(last) : "How well the clusters fit"}
      unit={columns.map((fit) => fit.words).join(", ") || "Figures of the clusters"}
      answer={props.answer}
      span={span.words}
      columns={[
        { key: "number", label: "Version", kind: "count" },
        { key: "at", label: "In force from", kind: "time" },
        ...columns.map((fit) => ({ key: fit.key, label: fit.name, kind: "decimal" as const })),
      ]}
      rows={versions as unknown as Record<string, unknown>[]}
      empty={<p>No clusters were fitted in these dates. Choose longer ones, or “all there is”.</p>}
      height={40 + 130 * told.length}
      draw={told.length > 0 ? drawFits(versions, told) : undefined}
    />
  );
}

function drawFits(versions: ModelVersion[], told: Fit[]): Draw {
  const time = { type: "time", min: versions[0].at, max: versions[versions.length - 1].at };
  return (look) => ({
    legend: {},
    tooltip: {
      trigger: "axis",
      valueFormatter: (value: unknown) => decimal(value as number),
    },
    grid: told.map((_, place) => ({ left: 70, right: 16, top: 36 + place * 128, height: 96 })),
    xAxis: told.map((_, place) => ({
      ...time,
      gridIndex: place,
      axisLabel: { show: place === told.length - 1 },
    })),
    yAxis: told.map((fit, place) => ({
      type: "value",
      gridIndex: place,
      scale: fit.key !== "drift",
      splitNumber: 3,
      axisLabel: { formatter: decimal },
    })),
    series: told.map((fit, place) => ({
      name: fit.name,
      type: "line",
      xAxisIndex: place,
      yAxisIndex: place,
      showSymbol: versions.length < 60,
      symbolSize: 5,
      color: { silhouette: look.good, inertia: look.accent, drift: look.bad }[fit.key],
      data: versions
        .filter((one) => typeof one[fit.key] === "number")
        .map((one) => [one.at, one[fit.key]]),
    })),
  });
}

const kForecasts = [
  { key: "auc", name: "AUC", words: "AUC (.5 is chance, 1 is perfect)" },
  { key: "brier", name: "Brier score", words: "Brier score (squared error, lower is better)" },
  {
    key: "calibration_error",
    name: "Calibration error",
    words: "calibration error (risk against share gone, lower is better)",
  },
] as const;

// Each churn model judged by the 90 days since it took effect, and what it has learnt.
function ChurnFigure(props: { answer: FigureAnswer; versions: ModelVersion[] }) {
  const { span } = useScene();
  // A version that brought no other churn model repeats the figures of the one before.
  const rows: (Churn & { number: number; at: string })[] = [];
  let before = "";
  for (const one of props.versions) {
    const now = JSON.stringify(one.churn);
    if (one.churn && now !== before) rows.push({ number: one.number, at: one.at, ...one.churn });
    before = now;
  }
  const judged = rows.filter((row) => row.auc !== undefined);
  const last = judged[judged.length - 1];
  return (
    <Figure
      id="churn"
      title={
        last?.auc !== undefined
          ? `Churn model: of two customers the one that falls silent has the higher risk in ${percent(last.auc)} of pairs`
          : rows.length > 0
            ? "What the churn model has learnt"
            : "How good the churn model is"
      }
      unit={
        last
          ? `Judged on the 90 days after a model took effect, before it had learnt from them: ${kForecasts.map((one) => one.words).join(", ")}`
          : "Parameters of the model; 90 days after it took effect it is judged"
      }
      answer={props.answer}
      span={span.words}
      columns={[
        { key: "number", label: "Version", kind: "count" },
        { key: "at", label: "In force from", kind: "time" },
        ...(last
          ? [
              ...kForecasts.map(({ key, name }) => ({
                key,
                label: name,
                kind: "decimal" as const,
              })),
              { key: "gone_share", label: "Gone after 90 days", kind: "percent" as const },
              { key: "judged_customers", label: "Customers judged", kind: "count" as const },
            ]
          : []),
        { key: "nbd_r", label: "NBD r", kind: "decimal" },
        { key: "nbd_alpha_days", label: "NBD α, days", kind: "decimal" },
        { key: "intercept", label: "Intercept", kind: "decimal" },
      ]}
      rows={[...rows].reverse()}
      note={
        last && judged.length < rows.length
          ? "Models without figures: their 90 days are not over, or 52 newer ones have been judged."
          : undefined
      }
      empty={
        <p>
          No churn model was fitted in these dates: that takes 500 customers and two weekly samples.
        </p>
      }
      draw={
        last
          ? (look) => ({
              legend: {},
              tooltip: {
                trigger: "axis",
                valueFormatter: (value: unknown) => decimal(value as number),
              },
              xAxis: { type: "time" },
              yAxis: { type: "value", min: 0, max: 1, axisLabel: { formatter: decimal } },
              series: kForecasts.map(({ key, name }) => ({
                name,
                type: "line",
                symbolSize: 5,
                color: { auc: look.accent, brier: look.bad, calibration_error: look.good }[key],
                data: judged.map((row) => [row.at, row[key]]),
              })),
            })
          : undefined
      }
    />
  );
}

// `newest`: of so many; null: of all.
function VersionsFigure(props: {
  answer: FigureAnswer;
  versions: ModelVersion[];
  newest: number | null;
}) {
  const { span } = useScene();
  const amount = props.versions.length;
  return (
    <Figure
      id="versions"
      title={
        props.newest === null
          ? `${plural(amount, "model version")} took effect`
          : `${count(amount)} of the newest ${plural(props.newest, "model version")} took effect`
      }
      unit="One row a version, the newest first"
      answer={props.answer}
      span={span.words}
      columns={[
        { key: "number", label: "Version", kind: "count" },
        { key: "at", label: "In force from", kind: "time" },
        { key: "what", label: "What changed" },
        { key: "cuts", label: "Cuts" },
      ]}
      rows={[...props.versions].reverse().map((one) => ({ ...one, cuts: cutsWords(one.cuts) }))}
      empty={<p>No version took effect in these dates. Choose longer ones, or “all there is”.</p>}
      note={
        amount > 0 && props.newest === null
          ? `First in these dates: ${time(props.versions[0].at)} UTC.`
          : undefined
      }
    />
  );
}

function cutsWords(cuts: ModelVersion["cuts"]): string {
  return cuts.map((one) => `${one.quantity}: ${one.cuts.map(decimal).join(", ")}`).join("; ");
}
