// What is around every screen: name, ways to all screens, dates, age of the figures, theme.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type Address, go, here, replace, there, useAddress } from "./address";
import { useClock } from "./clock";
import { kNothing, seconds, time } from "./format";
import { kSpans, type Scene, usualSpan, useScene } from "./scene";
import { entryOf, isDated, isSegmented, screens } from "./screen_list";
import { useConnection } from "./service";
import { type Choice, chooseTheme, themeChoice } from "./theme";

export function Shell(props: { children: ComponentChildren }) {
  const address = useAddress();
  const main = useRef<HTMLElement>(null);
  useShortcuts(address);
  const entry = entryOf(address);
  const title = address.screen === "c" ? `Customer ${address.id.trim()}` : (entry?.name ?? "Not found");

  const first = useRef(true);
  useEffect(() => {
    document.title = `${title} · rfmstream`;
    // After a step to another screen a screen reader goes on at its headline.
    if (first.current) first.current = false;
    else {
      main.current?.querySelector("h1")?.focus();
      scrollTo(0, 0);
    }
  }, [title]);

  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to the figures
      </a>
      <header>
        <div class="bar">
          <a class="brand" href={there(address, "")}>
            rfmstream
          </a>
          <Age />
          <Find />
          <Theme />
        </div>
        <nav aria-label="Screens">
          <ul>
            {screens.map((one) => (
              <li key={one.path}>
                <a
                  href={there(address, one.path)}
                  aria-current={one === entry ? "page" : undefined}
                  aria-keyshortcuts={`Alt+Shift+${one.key}`}
                  title={`${one.question} (Alt+Shift+${one.key})`}
                >
                  {one.name}
                </a>
              </li>
            ))}
          </ul>
        </nav>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        <div class="head">
          <div>
            <h1 tabIndex={-1}>{title}</h1>
            {entry && <p class="question">{entry.question}</p>}
          </div>
          <Controls dated={isDated(address)} segmented={isSegmented(address)} />
        </div>
        <Troubles />
        {props.children}
      </main>
      <footer>
        <p>
          Times are UTC. Alt+Shift and the letter in a screen's tip lead to it; Alt+Shift+F finds a
          customer. <a href={licencesFile()}>Licences</a>
        </p>
      </footer>
    </>
  );
}

function licencesFile(): string {
  return document.querySelector<HTMLLinkElement>('link[rel="license"]')?.href ?? "";
}

function useShortcuts(address: Address): void {
  const latest = useRef(address);
  latest.current = address;
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (!event.altKey || !event.shiftKey || event.ctrlKey || event.metaKey) return;
      if (event.code === "KeyF") document.getElementById("find")?.focus();
      const entry = screens.find((one) => event.code === `Key${one.key}`);
      if (entry) go(there(latest.current, entry.path));
      if (entry || event.code === "KeyF") event.preventDefault();
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, []);
}

// --- dates and segmentation ---

function Controls(props: { dated: boolean; segmented: boolean }) {
  const address = useAddress();
  const { span, segmentation, segmentations, today } = useScene();
  const own = (changes: Record<string, string>, when: Typing) => {
    const both = { from: span.from, to: span.to || today, ...changes };
    if (both.from && both.to && both.from > both.to) {
      if (when === "going on") return; // It may not be whole yet: the other one stays.
      both.from = both.to = Object.values(changes)[0];
    }
    const [from, to] = [both.from || null, both.to || null];
    replace(here(address, { from, to, span: null, page: null }));
  };
  return (
    <form class="controls" aria-label="What is shown" onSubmit={(event) => event.preventDefault()}>
      {props.segmented && segmentations.length > 0 && (
        <label>
          <span>Segmentation</span>
          <select
            value={segmentation}
            onChange={(event) =>
              replace(
                here(address, {
                  seg: event.currentTarget.value,
                  segment: null,
                  from_segment: null,
                  to_segment: null,
                  page: null,
                }),
              )
            }
          >
            {segmentations.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      )}
      {props.dated ? (
        <>
          <label>
            <span>Dates</span>
            <select
              value={span.choice}
              onChange={(event) => {
                const choice = event.currentTarget.value;
                if (choice === "own") own({}, "done");
                else
                  replace(
                    here(address, {
                      span: choice === usualSpan(address.screen) ? null : choice,
                      from: null,
                      to: null,
                      page: null,
                    }),
                  );
              }}
            >
              {kSpans.map(([value, text]) => (
                <option key={value} value={value}>
                  {text}
                </option>
              ))}
              <option value="own">from … to</option>
            </select>
          </label>
          <Day
            label="From"
            day={span.from}
            max={today}
            take={(from, when) => own({ from }, when)}
          />
          <Day
            label="To"
            day={span.to || today}
            max={today}
            take={(to, when) => own({ to }, when)}
          />
        </>
      ) : (
        <p class="now">As it is now; dates do not change this screen.</p>
      )}
    </form>
  );
}

type Typing = "going on" | "done";

const kFirstDay = "1970-01-01";

// While it is typed a date is none at times, and its year begins as 0002.
function Day(props: {
  label: string;
  day: string;
  max: string;
  take: (day: string, when: Typing) => void;
}) {
  const [typed, setTyped] = useState<string | null>(null); // Until the field is left.
  return (
    <label>
      <span>{props.label}</span>
      <input
        type="date"
        value={typed ?? props.day}
        min={kFirstDay}
        max={props.max}
        onChange={({ currentTarget: { value } }) => {
          setTyped(value);
          if (value >= kFirstDay) props.take(value, "going on");
        }}
        onBlur={({ currentTarget: input }) => {
          setTyped(null);
          if (input.value && input.value < kFirstDay) input.value = props.day;
          else if (input.value !== props.day) props.take(input.value, "done");
        }}
      />
    </label>
  );
}

// --- age, troubles ---

function Age() {
  const now = useClock(1000);
  const { status } = useScene();
  if (!status.data) return <p class="age">no figures yet</p>;
  const age = Math.max(0, (now - status.confirmedAt) / 1000);
  return (
    <p class={age > 20 ? "age old" : "age"}>
      newest event {status.data.as_of ? `${time(status.data.as_of)} UTC` : kNothing}
      <span> · confirmed {seconds(age)} ago</span>
    </p>
  );
}

function Troubles() {
  const lostSince = useConnection();
  const address = useAddress();
  const scene = useScene();
  const { data, error } = scene.status;
  return (
    <div aria-live="polite">
      {lostSince > 0 && <Lost since={lostSince} scene={scene} />}
      {lostSince === 0 && error && data && (
        <p class="trouble">
          The service answers with an error ({error.status}: {error.message}). The figures below are
          the last ones it gave.
        </p>
      )}
      {scene.span.fault && isDated(address) && (
        <p class="trouble">
          {scene.span.fault}: shown are {scene.span.words}. Choose other dates above.
        </p>
      )}
      {scene.missing && isSegmented(address) && (
        <p class="trouble">
          There is no segmentation “{scene.missing}”: shown is {scene.segmentation}. Choose another
          above.
        </p>
      )}
      {data && data.partitions_held < data.partitions_total && (
        <p class="trouble">
          These figures cover {data.partitions_held} of {data.partitions_total} partitions: the
          others are not restored here, or are held elsewhere.
        </p>
      )}
    </div>
  );
}

function Lost(props: { since: number; scene: Scene }) {
  const now = useClock(1000);
  return (
    <p class="trouble lost">
      The service has not answered for {seconds((now - props.since) / 1000)}. What is shown is what
      it said last. It is asked again by itself.{" "}
      <button type="button" onClick={props.scene.status.again}>
        Ask now
      </button>
    </p>
  );
}

// --- tools ---

function Find() {
  const address = useAddress();
  const [text, setText] = useState("");
  return (
    <form
      class="find"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        const id = text.trim();
        if (id) go(there(address, "c", {}, id));
      }}
    >
      <label for="find" class="unseen">
        Customer id
      </label>
      <input
        id="find"
        type="search"
        placeholder="Customer id"
        autocomplete="off"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button type="submit">Find</button>
    </form>
  );
}

function Theme() {
  const [choice, setChoice] = useState<Choice>(themeChoice());
  return (
    <label class="theme">
      <span class="unseen">Colours</span>
      <select
        value={choice}
        onChange={(event) => {
          const next = event.currentTarget.value as Choice;
          chooseTheme(next);
          setChoice(next);
        }}
      >
        <option value="system">System colours</option>
        <option value="light">Light</option>
        <option value="dark">Dark</option>
      </select>
    </label>
  );
}
