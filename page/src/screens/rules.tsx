import { useState } from "preact/hooks";
import { go, here, replace, there, useAddress } from "../address";
import type { DryRun } from "../answers";
import { Figure } from "../figure";
import { count, decimal, percentOf, plural } from "../format";
import { useScene } from "../scene";
import { segmentWords } from "../segments";
import { type Answer, post, Refusal, useAnswer } from "../service";

const kExample = `# Fixed cuts in place of those that are learnt from the customers
[segmentation.rfm]
axes = [
  {name = "r", quantity = "recency", method = "fixed", cuts = ["14d", "30d", "60d", "120d"]},
  {name = "f", quantity = "frequency", method = "fixed", cuts = [1, 2, 4, 8]},
  {name = "m", quantity = "monetary", method = "fixed", cuts = [100, 300, 800, 2000]},
]
# stay = "14d"    # how long a segment lasts at least before silence or a model moves on

# [action]
# quiet = "14d"   # at most one transition to act on in so long
`;

const refused: Record<number, string> = {
  0: "The service does not answer.",
  400: "These settings cannot be read.",
  401: "The token is not the one of the service.",
  403: "The service takes no changes by the page: it has no admin.token_file. The settings above can be tried and applied with rfmstream rules dry-run and rules apply.",
  404: "This service has no rules lab: rfmstream rules dry-run and rules apply do the same.",
  409: "The rules cannot be changed just now.",
  413: "These settings are too long.",
  422: "These rules are not valid.",
  501: "This service has no rules lab: rfmstream rules dry-run and rules apply do the same.",
  503: "The service cannot do this yet: it starts, restores its state or waits.",
};

type Settings = Record<string, { value: string }>;

// What of a segmentation is worth an edit: the keys that its settings must have.
const kParts: [words: string, keys: string[]][] = [
  ["map", ["map"]],
  ["cuts", ["axes"]],
  ["damping", ["stay", "guard", "hysteresis"]],
  ["segments and actions", ["segments"]],
];

function tomlOf(value: string): string {
  if (value.startsWith("[")) {
    return value
      .replace(/^\[\{/, "[\n  {")
      .replace(/\}, \{(?=(name|segment) = )/g, "},\n  {")
      .replace(/\}\]$/, "},\n]");
  }
  return /^(true|false|-?\d+(\.\d+)?)$/.test(value) ? value : JSON.stringify(value);
}

// The rules in force that can be begun with, as [what it is, settings].
function beginnings(settings: Settings | null): [string, string][] {
  const names = new Set<string>();
  for (const key of Object.keys(settings ?? {})) {
    const found = /^segmentation\.([^.]+)\.scorer$/.exec(key);
    if (found) names.add(found[1]);
  }
  return [...names].sort().flatMap((name) =>
    kParts.flatMap(([words, keys]): [string, string][] => {
      const known = keys.filter((key) => settings?.[`segmentation.${name}.${key}`]);
      if (known.length === 0) return [];
      const lines = known.map(
        (key) => `${key} = ${tomlOf(settings?.[`segmentation.${name}.${key}`]?.value ?? "")}\n`,
      );
      return [[`${name}: ${words}`, `[segmentation.${name}]\n${lines.join("")}`]];
    }),
  );
}

export function RulesScreen() {
  const address = useAddress();
  const { status } = useScene();
  const rules = address.params.get("rules") ?? kExample;
  const settings = useAnswer<Settings>("/config");
  const isClosed = settings.data?.["admin.token_file"]?.value === "";
  const isStored = status.data?.stored === true;
  const [token, setToken] = useState("");
  const [busy, setBusy] = useState("");
  const [fault, setFault] = useState<Refusal | null>(null);
  const [tried, setTried] = useState<{ rules: string; result: DryRun } | null>(null);
  const [applied, setApplied] = useState("");
  const result = tried?.rules === rules ? tried.result : null; // Else it is of others.

  const ask = async (path: string, word: string, how: "counted" | "done"): Promise<unknown> => {
    setBusy(word);
    setFault(null);
    setApplied("");
    try {
      return await post(path, rules, token, how);
    } catch (error) {
      setFault(error instanceof Refusal ? error : new Refusal(0, String(error)));
      return null;
    } finally {
      setBusy("");
    }
  };
  const dryRun = async () => {
    const found = (await ask("/rules/dry-run", "Trying …", "counted")) as DryRun | null;
    setTried(found && { rules, result: found });
  };
  const apply = async () => {
    if (!confirm("Apply these rules? Customers move, and transitions are published.")) return;
    const done = (await ask("/rules/apply", "Applying …", "done")) as Record<string, unknown> | null;
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
        <label class="choose">
          <span>Begin with what is in force</span>
          <select
            value=""
            onChange={(event) => {
              const text = event.currentTarget.value;
              event.currentTarget.value = "";
              if (text) go(here(address, { rules: text }));
            }}
          >
            <option value="">choose …</option>
            {beginnings(settings.data).map(([words, text]) => (
              <option key={words} value={text}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>Settings that differ from those in force (TOML): maps, cuts, damping</span>
          <textarea
            rows={12}
            spellcheck={false}
            value={rules}
            onInput={(event) => replace(here(address, { rules: event.currentTarget.value }))}
          />
          <small>
            They are in the address, so a link shares them. A dry run changes nothing.
            {isStored
              ? " Nor can this service: rfmstream rules apply changes the rules of a running one."
              : " Nothing changes before “Apply”."}
          </small>
        </label>
        {isClosed && (
          <p class="lead">
            Nothing can be tried here: the service has no token. Write one into a file, start the
            service with <code>--set admin.token_file=FILE</code>, and type it here. Without that,{" "}
            <code>rfmstream rules dry-run</code> tries settings at the command line.
          </p>
        )}
        {!isClosed && <form
          class="tools"
          onSubmit={(event) => {
            event.preventDefault();
            void dryRun();
          }}
        >
          <label class="choose">
            <span>Token (what the file of admin.token_file holds)</span>
            <input
              type="password"
              autocomplete="off"
              value={token}
              onInput={(event) => setToken(event.currentTarget.value)}
            />
          </label>
          <button type="submit" class="strong" disabled={busy !== "" || !token}>
            Dry run
          </button>
          {!isStored && (
            <button type="button" disabled={busy !== "" || !token} onClick={() => void apply()}>
              Apply
            </button>
          )}
          <a href={here(address, { rules: null })}>Begin anew</a>
        </form>}
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
      <Result result={result} isClosed={isClosed} />
    </>
  );
}

function Result(props: { result: DryRun | null; isClosed: boolean }) {
  const address = useAddress();
  const { result, isClosed } = props;
  const answer: Answer<DryRun> = {
    data: result,
    error: null,
    confirmedAt: 0,
    isMaking: false,
    isOld: false,
    again: () => undefined,
  };
  const moves = [...(result?.moves ?? [])]
    .filter((one) => one.from !== one.to)
    .sort((a, b) => b.customers - a.customers);
  const daily = result?.transitions_per_day;
  const rate = daily
    ? `; ${decimal(daily.now)} transitions a day now, ${decimal(daily.then)} then`
    : "";
  const places = [
    { key: "from", label: "Now", words: (name: string) => segmentWords(name) },
    { key: "to", label: "Then", words: (name: string) => segmentWords(name, "to") },
  ];
  return (
    <>
      <Figure
        id="dry-run"
        startsEmpty
        title={
          result
            ? `${percentOf(result.customers_moved, result.customers, "customers")} would move: ${count(result.customers_moved)}${rate}`
            : "What these rules would do"
        }
        unit="Customers by the segment they are in and would be in; money, lifetime"
        answer={answer}
        columns={[
          { key: "segmentation", label: "Segmentation" },
          ...places,
          { key: "customers", label: "Customers", kind: "count" },
          { key: "monetary", label: "Money", kind: "money" },
        ]}
        rows={moves}
        empty={
          result ? (
            <p>With these rules nobody would move{rate}.</p>
          ) : (
            <p>
              Nothing has been tried yet.
              {isClosed
                ? " A token is needed first, as said above."
                : " Write settings and the token above and press “Dry run”: it changes nothing."}
            </p>
          )
        }
        note={
          daily &&
          `Transitions a day: of the last ${plural(daily.days, "day")}, reckoned from ${plural(daily.sampled, "customer")}.`
        }
      />
      {result && (
        <Figure
          id="differences"
          title={plural(result.differences.length, "setting differs", "settings differ")}
          unit="From the rules in force"
          answer={answer}
          columns={[
            { key: "key", label: "Setting" },
            { key: "before", label: "Now" },
            { key: "after", label: "Then" },
          ]}
          rows={result.differences}
          empty={<p>These are the rules in force.</p>}
        />
      )}
      {result && result.samples.length > 0 && (
        <Figure
          id="samples"
          title={`${plural(result.samples.length, "customer")} who would move`}
          unit="Examples, one row a customer and segmentation"
          answer={answer}
          columns={[
            {
              key: "customer_id",
              label: "Customer",
              link: (row) => there(address, "c", {}, String(row.customer_id)),
            },
            { key: "segmentation", label: "Segmentation" },
            ...places,
          ]}
          rows={result.samples}
          empty={null}
        />
      )}
    </>
  );
}
