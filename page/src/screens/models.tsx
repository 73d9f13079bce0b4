import { there, useAddress } from "../address";
import type { Model, ModelVersion } from "../answers";
import { Choose, Figure, Waiting } from "../figure";
import { days, decimal, kNothing, money, percent, plural, time } from "../format";
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
  return (
    <>
      <ClustersFigure answer={answer} versions={all} />
      <FitsFigure answer={answer} versions={fits} />
      <ChurnFigure answer={answer} versions={versions} />
      <VersionsFigure answer={answer} versions={versions} />
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
        <>
          <Choose label="Version" name="version" options={options} />
          <Choose label="beside" name="other" options={[["", "the first"], ...options]} />
        </>
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

// Only what the service tells of its fits.
function FitsFigure(props: { answer: FigureAnswer; versions: ModelVersion[] }) {
  const { span } = useScene();
  const { versions } = props;
  const last = versions[versions.length - 1];
  const known = (fit: (typeof kFits)[number]) =>
    versions.filter((one) => typeof one[fit.key] === "number").length;
  const columns = kFits.filter((fit) => known(fit) > 0);
  const told = kFits.filter((fit) => known(fit) > 1); // The silhouette may be of the last one only.
  const time = { type: "time", min: versions[0]?.at, max: last?.at };
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
      draw={(look) => ({
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
      })}
    />
  );
}

// The figures of a churn model as they come: name -> number.
function ChurnFigure(props: { answer: FigureAnswer; versions: ModelVersion[] }) {
  const { span } = useScene();
  // A version that brought no other churn model repeats the figures of the one before.
  const rows: Record<string, unknown>[] = [];
  let before = "";
  for (const one of props.versions) {
    const figures = Object.entries(one.churn ?? {}).filter(
      ([, value]) => typeof value === "number",
    );
    const now = JSON.stringify(figures);
    if (figures.length > 0 && now !== before) {
      rows.push({ number: one.number, at: one.at, ...Object.fromEntries(figures) });
    }
    before = now;
  }
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter(
    (key) => key !== "number" && key !== "at",
  );
  const last = rows[rows.length - 1];
  const auc = keys.find((key) => key.includes("auc"));
  return (
    <Figure
      id="churn"
      title={
        last && auc
          ? `Churn model: of two customers the one that falls silent has the higher risk in ${percent(last[auc] as number)} of pairs`
          : last
            ? "What the churn model has learnt"
            : "How good the churn model is"
      }
      unit={
        auc
          ? "Judged on what came after each forecast, before the model had learnt from it"
          : "Parameters of the model; rfmstream evaluate churn judges it"
      }
      answer={props.answer}
      span={span.words}
      columns={[
        { key: "number", label: "Version", kind: "count" },
        { key: "at", label: "In force from", kind: "time" },
        ...keys.map((key) => ({ key, label: key.replaceAll("_", " "), kind: "decimal" as const })),
      ]}
      rows={[...rows].reverse()}
      empty={
        <p>
          No churn model was fitted in these dates: that takes 500 customers and two weekly samples.
        </p>
      }
      draw={
        auc
          ? (look) => ({
              legend: {},
              tooltip: {
                trigger: "axis",
                valueFormatter: (value: unknown) => decimal(value as number),
              },
              xAxis: { type: "time" },
              yAxis: { type: "value", scale: true, axisLabel: { formatter: decimal } },
              series: keys
                .filter((key) => key === auc || key.includes("brier"))
                .map((key) => ({
                  name: key.replaceAll("_", " "),
                  type: "line",
                  symbolSize: 5,
                  color: key === auc ? look.accent : look.bad,
                  data: rows.map((row) => [row.at, row[key]]),
                })),
            })
          : undefined
      }
    />
  );
}

function VersionsFigure(props: { answer: FigureAnswer; versions: ModelVersion[] }) {
  const { span } = useScene();
  return (
    <Figure
      id="versions"
      title={`${plural(props.versions.length, "model version")} took effect`}
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
        props.versions.length > 0
          ? `First in these dates: ${time(props.versions[0].at)} UTC.`
          : undefined
      }
    />
  );
}

function cutsWords(cuts: ModelVersion["cuts"]): string {
  return cuts.map((one) => `${one.quantity}: ${one.cuts.map(decimal).join(", ")}`).join("; ");
}
