import type { Pipeline } from "../answers";
import { useClock } from "../clock";
import { Figure } from "../figure";
import { bytes, count, decimal, percent, plural, seconds, short } from "../format";
import { kLookMs, lagOf, looks } from "../lag";
import { useScene } from "../scene";

export function PipelineScreen() {
  const { status } = useScene();
  const data = status.data as Pipeline;
  const partitions = data.partitions;
  useClock(kLookMs); // Looks go on where the figures stay.
  const lag = lagOf(data);
  const read = data.outcomes.records ?? 0;
  const outcomes = Object.entries(data.outcomes)
    // `records` is all of them, `late` some of those applied.
    .filter(([outcome]) => outcome !== "records" && outcome !== "late")
    .map(([outcome, records]) => ({ outcome, records }))
    .sort((a, b) => b.records - a.records);
  const ignored = (data.ignored ?? []).map((one) => ({
    ...one,
    meaning: kIgnored[one.reason] ?? "",
  }));
  const applied = outcomes.find((one) => one.outcome === "applied")?.records ?? 0;
  const dead = data.dead_letters;
  const deadRecords = dead.reduce((sum, one) => sum + one.records, 0);
  return (
    <>
      <dl class="numbers">
        <div>
          <dt>Phase</dt>
          <dd>{data.stored ? "stored state" : data.phase}</dd>
        </div>
        <div>
          <dt>Records not read yet</dt>
          <dd>{count(lag.records)}</dd>
        </div>
        <div>
          <dt>Behind in event time</dt>
          <dd>{seconds(lag.seconds)}</dd>
        </div>
        <div>
          <dt>Dead letters</dt>
          <dd>
            {count(deadRecords)}
            <small>{read ? ` ${percent(deadRecords / read)} of ${count(read)} records` : ""}</small>
          </dd>
        </div>
      </dl>
      {data.obstacles.map((one) => (
        <p class="trouble" key={one.reason}>
          {one.detail}
        </p>
      ))}
      <Figure
        id="partitions"
        title={
          partitions.length
            ? `${plural(partitions.length, "partition")}: ${lag.records === 0 ? "everything is read" : `${count(lag.records)} records not read yet`}`
            : "Partitions"
        }
        unit="Records and seconds; watermark: deadlines up to there are over, what comes older is late"
        answer={status}
        columns={[
          { key: "id", label: "Partition", kind: "count" },
          { key: "lag", label: "Not read yet", kind: "count" },
          { key: "held", label: "Waiting for the model", kind: "count" },
          { key: "lag_seconds", label: "Behind, s", kind: "decimal" },
          { key: "watermark", label: "Watermark", kind: "time" },
          { key: "event_time", label: "Newest event", kind: "time" },
          { key: "customers", label: "Customers", kind: "count" },
        ]}
        rows={partitions as unknown as Record<string, unknown>[]}
        empty={
          <p>
            No partition is held here: the service starts, waits for the broker, or serves a state
            that no lane reads into.
          </p>
        }
      />
      <Figure
        id="lag"
        title={`Lag: ${count(lag.records)} records, ${seconds(lag.seconds)} of event time`}
        unit="Records not read yet, since this page was opened (an hour at most)"
        answer={status}
        columns={[
          { key: "time", label: "When", kind: "time" },
          { key: "lag", label: "Records", kind: "count" },
          { key: "lag_seconds", label: "Seconds", kind: "decimal" },
        ]}
        rows={
          looks.length > 1 && !data.stored
            ? looks.map((one) => ({
                time: new Date(one.at).toISOString(),
                lag: one.records,
                lag_seconds: one.seconds,
              }))
            : []
        }
        empty={
          data.stored ? (
            <p>This is a stored state: nothing is read into it, so that there is no lag.</p>
          ) : (
            <p>Two looks at the pipeline are needed first: leave this page open for some seconds.</p>
          )
        }
        height={200}
        draw={(look) => ({
          tooltip: { trigger: "axis" },
          grid: { left: 8, right: 16, top: 12, bottom: 8, containLabel: true },
          xAxis: { type: "time" },
          yAxis: { type: "value", minInterval: 1, axisLabel: { formatter: short } },
          series: [
            {
              name: "Records",
              type: "line",
              symbol: "none",
              color: look.accent,
              data: looks.map((one) => [one.at, one.records]),
            },
          ],
        })}
      />
      <Figure
        id="outcomes"
        title={
          read
            ? `${percent(applied / read)} of ${count(read)} records were applied`
            : "What became of the records"
        }
        unit="Records, each counted in one outcome"
        answer={status}
        columns={[
          { key: "outcome", label: "Outcome" },
          { key: "records", label: "Records", kind: "count" },
        ]}
        rows={outcomes}
        empty={
          <p>
            No record has been read yet. Is anything in the input topic, and is the broker
            reachable?
          </p>
        }
        height={60 + 30 * outcomes.length}
        draw={(look) => ({
          grid: { left: 8, right: 90, top: 8, bottom: 8, containLabel: true },
          tooltip: { trigger: "axis", axisPointer: { type: "shadow" } },
          xAxis: { type: "value", minInterval: 1, axisLabel: { formatter: short } },
          yAxis: {
            type: "category",
            inverse: true,
            data: outcomes.map((one) => one.outcome.replaceAll("_", " ")),
            axisLabel: { color: look.text },
          },
          series: [
            {
              name: "Records",
              type: "bar",
              color: look.accent,
              data: outcomes.map((one) => one.records),
              label: {
                show: true,
                position: "right",
                color: look.muted,
                formatter: (one: { value: unknown }) => count(one.value as number),
              },
            },
          ],
        })}
      />
      <Figure
        id="ignored"
        title={
          ignored.length > 0
            ? `${plural(
                ignored.reduce((sum, one) => sum + one.records, 0),
                "record",
              )} ignored: nothing is wrong with them, but they are no customer's purchases`
            : "Ignored records"
        }
        unit="Records by reason"
        answer={status}
        columns={[
          { key: "reason", label: "Reason", words: (reason) => reason.replaceAll("_", " ") },
          { key: "records", label: "Records", kind: "count" },
          { key: "meaning", label: "What that means" },
        ]}
        rows={ignored}
        empty={<p>No record was ignored.</p>}
      />
      <Figure
        id="dead-letters"
        title={
          deadRecords
            ? `${plural(deadRecords, "record")} could not be used, ${plural(dead.length, "reason")}`
            : "Dead letters"
        }
        unit={
          data.stored
            ? "Records by reason"
            : "Records by reason; where the last one since the start of the service is in the input"
        }
        answer={status}
        columns={[
          { key: "reason", label: "Reason" },
          { key: "records", label: "Records", kind: "count" },
          ...(data.stored ? [] : [{ key: "sample", label: "The last one" }]),
        ]}
        rows={dead}
        note={
          data.stored ? undefined : (
            <>
              <code>rfmstream tail --topic dead-letters --from-beginning</code> prints them: the
              reason, what is wrong, [partition/offset] in the input, the record.
            </>
          )
        }
        empty={<p>There are no dead letters: every record could be used.</p>}
      />
      <Plain id="commits" title="Commits" figures={data.stored ? {} : data.commits} />
      <Plain id="memory" title="Memory" figures={data.memory} />
    </>
  );
}

const kIgnored: Record<string, string> = {
  no_customer: "It names no customer: in sales as unnamed, in no segment",
  superseded: "A newer version of the same invoice has been applied",
  adjustment: "A booking such as a bad debt: in no segment and in no sales",
  unrelated: "No invoice (input.types)",
  null_value: "An empty record",
};

const kFigures: Record<string, string> = {
  count: "transactions committed",
  gap_max_ms: "longest time between two commits",
  records_max: "records in the largest transaction",
  bytes_max: "largest transaction",
  customers: "customers in memory",
  bytes: "memory of their rows",
};

function Plain(props: { id: string; title: string; figures: Record<string, unknown> | undefined }) {
  const { status } = useScene();
  const rows = flat(props.figures ?? {}).map(([name, value]) => ({
    name: kFigures[name] ?? name.replaceAll("_", " "),
    value: words(name, value),
  }));
  return (
    <Figure
      id={props.id}
      title={props.title}
      unit="As the service counts"
      answer={status}
      columns={[
        { key: "name", label: "What" },
        { key: "value", label: "Figure" },
      ]}
      rows={rows}
      empty={<p>The service tells nothing of this here: a stored state commits nothing.</p>}
    />
  );
}

function flat(figures: Record<string, unknown>, before = ""): [string, unknown][] {
  return Object.entries(figures).flatMap(([name, value]): [string, unknown][] =>
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? flat(value as Record<string, unknown>, `${before}${name} `)
      : [[before + name, value]],
  );
}

function words(name: string, value: unknown): string {
  if (typeof value !== "number") return value === null || value === undefined ? "–" : String(value);
  if (name.includes("bytes")) return bytes(value);
  if (name.endsWith("_ms")) return `${decimal(value)} ms`;
  if (name.includes("seconds")) return `${decimal(value)} s`;
  return decimal(value);
}
