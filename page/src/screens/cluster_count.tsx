import { there, useAddress } from "../address";
import type { ClusterCount, ClusterCounts } from "../answers";
import { Figure, Waiting } from "../figure";
import { count, decimal, percent, plural, short } from "../format";
import { kCountSeconds, useAnswer } from "../service";

export function ClusterCountScreen() {
  const answer = useAnswer<ClusterCounts>("/k", kCountSeconds);
  if (!answer.data) {
    return (
      <Waiting
        answer={answer}
        making="The service compares numbers of clusters: that takes some seconds, and up to a minute over many customers …"
        missing="There are no clusters to compare yet: the first ones are fitted seven weeks after the first 500 customers. rfmstream evaluate clusters compares them over a history."
      />
    );
  }
  return (
    <>
      <FitsFigure answer={answer} data={answer.data} />
      <AxesFigure answer={answer} data={answer.data} />
    </>
  );
}

interface Criterion {
  key: Exclude<keyof ClusterCount, "k">;
  name: string;
  best: "high" | "low" | null; // Null: it falls with every cluster more, so that none is best.
}

const kCriteria: Criterion[] = [
  { key: "inertia", name: "Inertia", best: null },
  { key: "silhouette", name: "Silhouette, simplified", best: "high" },
  { key: "silhouette_exact", name: "Silhouette, exact", best: "high" },
  { key: "calinski_harabasz", name: "Calinski-Harabasz", best: "high" },
  { key: "davies_bouldin", name: "Davies-Bouldin", best: "low" },
  { key: "stability", name: "Stability", best: "high" },
];

function favourite(rows: ClusterCount[], criterion: Criterion): number | null {
  const known = rows.filter((row) => typeof row[criterion.key] === "number");
  if (!criterion.best || known.length === 0) return null;
  const sign = criterion.best === "high" ? 1 : -1;
  const value = (row: ClusterCount) => sign * (row[criterion.key] as number);
  return known.reduce((best, row) => (value(row) > value(best) ? row : best)).k;
}

// Whether a number stands out, which the service's last sentence says, and which k the criteria
// favour, the one with most votes first.
function verdict(words: string, rows: ClusterCount[], criteria: Criterion[]): string {
  const votes = new Map<number, string[]>();
  for (const one of criteria) {
    const k = favourite(rows, one);
    if (k !== null) votes.set(k, [...(votes.get(k) ?? []), one.name]);
  }
  const ranked = [...votes].sort((a, b) => b[1].length - a[1].length || a[0] - b[0]);
  if (ranked.length === 0) return "How well different numbers of clusters fit";
  const [k, names] = ranked[0];
  const favoured = `${names.length} of ${criteria.length} criteria are best at ${k} clusters`;
  const said = /(No number of clusters stands out|They do not agree on one k)/.exec(words)?.[1];
  return said ? `${said}; ${favoured}` : favoured;
}

// "As k^-0.68" in plain words.
function powerWords(words: string): string {
  const power = /k\^(-[\d.]+)/.exec(words)?.[1];
  return power
    ? `(k^${power}: twice the clusters leave ${percent(2 ** Number(power))} of the inertia.) `
    : "";
}

function FitsFigure(props: { answer: Parameters<typeof Figure>[0]["answer"]; data: ClusterCounts }) {
  const address = useAddress();
  const rows = [...props.data.k].sort((a, b) => a.k - b.k);
  const told = kCriteria.filter((one) => rows.some((row) => typeof row[one.key] === "number"));
  const names = rows.map((row) => String(row.k));
  const kRow = 160;
  return (
    <Figure
      id="k"
      title={verdict(props.data.words, rows, told)}
      unit={`By number of clusters (k), of ${plural(props.data.customers, "customer")}; high is good, but for inertia (squared distances, scaled) and Davies-Bouldin, where low is`}
      answer={props.answer}
      columns={[
        { key: "k", label: "Clusters", kind: "count" },
        ...told.map((one) => ({ key: one.key, label: one.name, kind: "decimal" as const })),
      ]}
      rows={rows as unknown as Record<string, unknown>[]}
      empty={<p>No clusters were fitted: that takes 500 customers and seven weeks.</p>}
      wholeTable
      height={20 + kRow * Math.ceil(told.length / 2)}
      draw={(look) => ({
        tooltip: {
          trigger: "axis",
          valueFormatter: (value: unknown) => decimal(value as number),
        },
        grid: told.map((_, place) => ({
          left: place % 2 === 0 ? 60 : "56%",
          width: "40%",
          top: 36 + kRow * Math.floor(place / 2),
          height: kRow - 64,
        })),
        xAxis: told.map((_, place) => ({ type: "category", gridIndex: place, data: names })),
        yAxis: told.map((one, place) => ({
          type: "value",
          scale: true,
          splitNumber: 3,
          gridIndex: place,
          name: one.name,
          nameTextStyle: { align: "left", color: look.text, fontSize: 13, padding: [0, 0, 0, -40] },
          axisLabel: { formatter: (value: number) => (value >= 1000 ? short(value) : decimal(value)) },
        })),
        series: told.map((one, place) => {
          const best = favourite(rows, one);
          return {
            name: one.name,
            type: "line",
            xAxisIndex: place,
            yAxisIndex: place,
            symbol: "circle",
            color: look.accent,
            data: rows.map((row) => ({
              value: row[one.key] as number | null,
              symbolSize: row.k === best ? 12 : 5,
              itemStyle: row.k === best ? { color: look.good } : undefined,
            })),
          };
        }),
      })}
      note={
        <>
          {props.data.words} {powerWords(props.data.words)}A large point is the best of its criterion; inertia falls with every
          cluster more, so look for a bend. The number is the setting <code>model.clusters</code>,
          which a running application keeps; <a href={there(address, "models")}>Models</a> shows the
          clusters.
        </>
      }
    />
  );
}

const kAxisWords: Record<string, string> = {
  recency_days: "Recency",
  frequency: "Frequency",
  monetary: "Money",
};

// 1-D K-Means an axis, as a share of what two clusters leave.
function AxesFigure(props: { answer: Parameters<typeof Figure>[0]["answer"]; data: ClusterCounts }) {
  const axes = Object.entries(props.data.axes ?? {}).filter(([, points]) => points.length > 0);
  const counts = [...new Set(axes.flatMap(([, points]) => points.map((point) => point.k)))].sort(
    (a, b) => a - b,
  );
  const left = (points: { k: number; inertia: number | null }[], k: number) => {
    const sorted = [...points].sort((a, b) => a.k - b.k);
    const here = sorted.find((point) => point.k === k)?.inertia;
    const first = sorted[0].inertia;
    return typeof here === "number" && first ? here / first : null;
  };
  const name = (axis: string) => kAxisWords[axis] ?? axis;
  const rows = counts.map((k) => ({
    k,
    ...Object.fromEntries(
      axes.flatMap(([axis, points]) => [
        [axis, points.find((point) => point.k === k)?.inertia],
        [`${axis}_share`, left(points, k)],
      ]),
    ),
  }));
  return (
    <Figure
      id="axes"
      title={`The elbow of each axis, ${count(counts[0])} to ${count(counts[counts.length - 1])} groups`}
      unit={`Inertia of groups along one axis alone, as a share of that of ${counts[0] ?? "the fewest"}`}
      answer={props.answer}
      columns={[
        { key: "k", label: "Groups", kind: "count" },
        ...axes.flatMap(([axis]) => [
          { key: axis, label: `${name(axis)}, inertia`, kind: "decimal" as const },
          { key: `${axis}_share`, label: `${name(axis)}, share`, kind: "percent" as const },
        ]),
      ]}
      rows={rows}
      empty={<p>The service tells nothing of single axes: no clusters were fitted yet.</p>}
      wholeTable
      draw={(look) => ({
        legend: {},
        tooltip: {
          trigger: "axis",
          valueFormatter: (value: unknown) =>
            value === null ? "–" : `${(100 * (value as number)).toFixed(0)} %`,
        },
        xAxis: { type: "category", data: counts.map(String), name: "groups", nameLocation: "middle", nameGap: 28 },
        grid: { left: 8, right: 16, top: 34, bottom: 30, containLabel: true },
        yAxis: {
          type: "value",
          min: 0,
          axisLabel: { formatter: (value: number) => `${(100 * value).toFixed(0)} %` },
        },
        series: axes.map(([axis, points], place) => ({
          name: name(axis),
          type: "line",
          symbol: ["circle", "rect", "triangle"][place % 3],
          symbolSize: 8,
          lineStyle: { type: ["solid", "dashed", "dotted"][place % 3] },
          color: [look.accent, look.good, look.bad][place % 3],
          data: counts.map((k) => left(points, k)),
        })),
      })}
      note="Where a line bends, further groups tell little more of that axis."
    />
  );
}
