import { useState } from "preact/hooks";
import { here, replace, useAddress } from "../address";
import type { Envelope } from "../answers";
import { Figure } from "../figure";
import { decimal, plural } from "../format";
import { useScene } from "../scene";
import { segmentWords } from "../segments";
import { type Answer, post, Refusal } from "../service";

const kExample = `[segmentation.rfm]
stay = "14 d"            # a segment lasts at least so long before silence moves on

# [segmentation.rfm.axes.r]
# cuts = ["30 d", "60 d", "90 d", "180 d"]
`;

interface DryRun extends Envelope {
  moves?: { segmentation?: string; from: string; to: string; customers: number }[];
  days?: { date: string; before?: number; after?: number; transitions?: number }[];
  transitions_a_day?: number | { now: number; then: number } | null;
  customers?: number;
}

const refused: Record<number, string> = {
  0: "The service does not answer.",
  400: "These settings cannot be read.",
  401: "The token is not the one of the service.",
  403: "The service takes no changes by the page: it has no admin.token_file. The settings below can be applied with rfmstream rules apply.",
  404: "This service has no rules lab.",
  409: "The rules cannot be changed just now.",
  413: "These settings are too long.",
  422: "These rules are not valid.",
  503: "The service cannot do this yet: it starts, restores its state or waits.",
};

export function RulesScreen() {
  const address = useAddress();
  const { today } = useScene();
  const rules = address.params.get("rules") ?? kExample;
  const [token, setToken] = useState("");
  const [busy, setBusy] = useState("");
  const [fault, setFault] = useState<Refusal | null>(null);
  const [result, setResult] = useState<DryRun | null>(null);
  const [applied, setApplied] = useState("");

  const ask = async (path: string, word: string): Promise<unknown> => {
    setBusy(word);
    setFault(null);
    setApplied("");
    try {
      return await post(path, rules, token);
    } catch (error) {
      setFault(error instanceof Refusal ? error : new Refusal(0, String(error)));
      return null;
    } finally {
      setBusy("");
    }
  };
  const dryRun = async () => setResult((await ask("/rules/dry-run", "Trying …")) as DryRun | null);
  const apply = async () => {
    if (!confirm("Apply these rules? Customers move, and transitions are published.")) return;
    const done = (await ask("/rules/apply", "Applying …")) as Record<string, unknown> | null;
    if (done)
      setApplied(
        typeof done.what === "string"
          ? done.what
          : "The request is written; the service takes it up at the next commit.",
      );
  };

  return (
    <>
      <div class="panel fields column">
        <label>
          <span>Settings that differ from those in force (TOML): maps, cuts, damping</span>
          <textarea
            rows={12}
            spellcheck={false}
            value={rules}
            onInput={(event) => replace(here(address, { rules: event.currentTarget.value }))}
          />
          <small>
            They are in the address, so a link shares them. Nothing changes before “Apply”.
          </small>
        </label>
        <form
          class="tools"
          onSubmit={(event) => {
            event.preventDefault();
            void dryRun();
          }}
        >
          <label class="choose">
            <span>Token</span>
            <input
              type="password"
              autocomplete="off"
              value={token}
              onInput={(event) => setToken(event.currentTarget.value)}
            />
          </label>
          <button type="submit" class="strong" disabled={busy !== ""}>
            Dry run
          </button>
          <button type="button" disabled={busy !== "" || !token} onClick={() => void apply()}>
            Apply
          </button>
          <a href={here(address, { rules: null })}>Begin anew</a>
        </form>
      </div>
      <div aria-live="polite">
        {busy && <p class="waiting">{busy}</p>}
        {fault && (
          <p class="trouble">
            {refused[fault.status] ?? `The service answered with an error (${fault.status}).`}{" "}
            {fault.status > 0 && `It says: ${fault.message}`}
          </p>
        )}
        {applied && <p class="done">{applied}</p>}
      </div>
      <Result result={result} today={today} />
    </>
  );
}

function Result(props: { result: DryRun | null; today: string }) {
  const { result } = props;
  const answer: Answer<Envelope> = {
    data: result,
    error: null,
    confirmedAt: 0,
    again: () => undefined,
  };
  const moves = [...(result?.moves ?? [])]
    .filter((one) => one.from !== one.to)
    .sort((a, b) => b.customers - a.customers);
  const moved = moves.reduce((sum, one) => sum + one.customers, 0);
  const daily = result?.transitions_a_day;
  const rate =
    typeof daily === "number"
      ? `; about ${decimal(daily)} transitions a day`
      : daily
        ? `; ${decimal(daily.now)} transitions a day now, ${decimal(daily.then)} then`
        : "";
  return (
    <Figure
      id="dry-run"
      title={
        result ? `${plural(moved, "customer")} would move${rate}` : "What these rules would do"
      }
      unit="Customers by the segment they are in and would be in"
      answer={answer}
      columns={[
        { key: "segmentation", label: "Segmentation" },
        { key: "from", label: "Now" },
        { key: "to", label: "Then" },
        { key: "customers", label: "Customers", kind: "count" },
      ]}
      rows={moves.map((one) => ({
        ...one,
        from: segmentWords(one.from),
        to: segmentWords(one.to, "to"),
      }))}
      empty={
        result ? (
          <p>With these rules nobody would move{rate}.</p>
        ) : (
          <p>
            Nothing has been tried yet. Write settings above and press “Dry run”: it changes
            nothing.
          </p>
        )
      }
    />
  );
}
