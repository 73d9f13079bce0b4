import { useAddress } from "../address";
import type { Model, ModelVersion } from "../answers";
import { Choose, Figure, Waiting } from "../figure";
import { decimal, kNothing, money, percent, plural, time } from "../format";
import { useScene } from "../scene";
import { useAnswer } from "../service";

type FigureAnswer = Parameters<typeof Figure>[0]["answer"];

export function ModelsScreen() {
  const { span } = useScene();
  const answer = useAnswer<Model>("/model");
  if (!answer.data) return <Waiting answer={answer} />;
  const versions = answer.data.versions
    .filter(
      (one) =>
        (!span.from || one.at.slice(0, 10) >= span.from) &&
        (!span.to || one.at.slice(0, 10) <= span.to),
    )
    .sort((a, b) => a.number - b.number);
  const all = [...answer.data.versions].sort((a, b) => a.number - b.number);
  const fits = versions.filter((one) => one.inertia !== null && one.inertia !== undefined);
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
  return version.clusters.length > 0;
}

// Two versions side by side; the newer one alone when there is no other.
function ClustersFigure(props: { answer: FigureAnswer; versions: ModelVersion[] }) {
  const { params } = useAddress();
  const { currency } = useScene();
  const versions = props.versions.filter(hasClusters);
  const newest = versions[versions.length - 1];
  const numbered = (name: string) =>
    versions.find((one) => String(one.number) === params.get(name));
  const now = numbered("version") ?? newest;
  const before = numbered("other") ?? (versions.length > 1 ? versions[0] : undefined);
  const older = (name: string) => before?.clusters.find((one) => one.name === name);
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
          ? `${richest.name}: typically ${decimal(richest.frequency)} orders, ${money(richest.monetary, currency)}, ${decimal(richest.recency_days)} days of silence`
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
              { key: "share_before", label: `Share${was}`, kind: "percent" as const },
              { key: "recency_before", label: `Silent${was}`, kind: "days" as const },
              { key: "frequency_before", label: `Orders${was}`, kind: "decimal" as const },
              { key: "monetary_before", label: `Money${was}`, kind: "money" as const },
            ]
          : []),
      ]}
      rows={rows}
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

function FitsFigure(props: { answer: FigureAnswer; versions: ModelVersion[] }) {
  const { span } = useScene();
  const { versions } = props;
  const last = versions[versions.length - 1];
  const series = (
    name: string,
    key: "inertia" | "silhouette" | "drift",
    place: number,
    colour: string,
  ) => ({
    name,
    type: "line",
    xAxisIndex: place,
    yAxisIndex: place,
    symbolSize: 5,
    color: colour,
    data: versions
      .filter((one) => one[key] !== null && one[key] !== undefined)
      .map((one) => [one.at, one[key]]),
  });
  return (
    <Figure
      id="fits"
      title={
        last
          ? `Silhouette ${decimal(last.silhouette)} at the last fit: ${Number(last.silhouette) < 0.5 ? "customers pass into each other, clusters are a choice of how finely to divide" : "the clusters stand apart"}`
          : "How well the clusters fit"
      }
      unit="Silhouette (−1 to 1, higher is better), inertia (scaled distance, lower is better), drift (population stability index)"
      answer={props.answer}
      span={span.words}
      columns={[
        { key: "number", label: "Version", kind: "count" },
        { key: "at", label: "In force from", kind: "time" },
        { key: "silhouette", label: "Silhouette", kind: "decimal" },
        { key: "inertia", label: "Inertia", kind: "decimal" },
        { key: "drift", label: "Drift", kind: "decimal" },
      ]}
      rows={versions as unknown as Record<string, unknown>[]}
      empty={<p>No clusters were fitted in these dates. Choose longer ones, or “all there is”.</p>}
      height={420}
      draw={(look) => ({
        legend: {},
        tooltip: { trigger: "axis", valueFormatter: (value: unknown) => decimal(value as number) },
        grid: [0, 1, 2].map((place) => ({
          left: 70,
          right: 16,
          top: 36 + place * 128,
          height: 96,
        })),
        xAxis: [0, 1, 2].map((place) => ({
          type: "time",
          gridIndex: place,
          axisLabel: { show: place === 2 },
          ...(versions.length > 0 && {
            min: versions[0].at,
            max: versions[versions.length - 1].at,
          }),
        })),
        yAxis: [0, 1, 2].map((place) => ({
          type: "value",
          gridIndex: place,
          scale: place !== 2,
          splitNumber: 3,
          axisLabel: { formatter: decimal },
        })),
        series: [
          series("Silhouette", "silhouette", 0, look.good),
          series("Inertia", "inertia", 1, look.accent),
          series("Drift", "drift", 2, look.bad),
        ],
      })}
    />
  );
}

// The figures of a churn model as they come: name -> number.
function ChurnFigure(props: { answer: FigureAnswer; versions: ModelVersion[] }) {
  const { span } = useScene();
  const rows = props.versions.flatMap((one) => {
    const figures = Object.entries(one.churn ?? {}).filter(
      ([, value]) => typeof value === "number",
    );
    return figures.length > 0
      ? [
          { number: one.number, at: one.at, ...Object.fromEntries(figures) } as Record<
            string,
            unknown
          >,
        ]
      : [];
  });
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
          : "How good the churn model is"
      }
      unit="Judged on what came after each forecast, before the model had learnt from it"
      answer={props.answer}
      span={span.words}
      columns={[
        { key: "number", label: "Version", kind: "count" },
        { key: "at", label: "In force from", kind: "time" },
        ...keys.map((key) => ({ key, label: key.replaceAll("_", " "), kind: "decimal" as const })),
      ]}
      rows={rows}
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

function cutsWords(cuts: unknown): string {
  if (!cuts || typeof cuts !== "object") return "";
  const entries = Array.isArray(cuts)
    ? cuts.map((one): [string, unknown] => [one.name ?? one.axis ?? "", one.cuts ?? one.values])
    : Object.entries(cuts);
  return entries
    .filter(([, values]) => Array.isArray(values))
    .map(
      ([name, values]) =>
        `${name}: ${(values as unknown[]).map((value) => decimal(value as number)).join(", ")}`,
    )
    .join("; ");
}
