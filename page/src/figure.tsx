// Every chart of the page: a title that says what is found, the unit, as of when, the drawing or its
// table, CSV, PNG and link, and an empty state that says what is missing and how to get it.
import type { EChartsType } from "echarts/core";
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { here, replace, useAddress } from "./address";
import type { Counted, Dated } from "./answers";
import { Chart, type Draw, type Picked } from "./chart";
import { saveCsv, savePng } from "./download";
import { count, time } from "./format";
import { useScene } from "./scene";
import { isDated } from "./screen_list";
import type { Answer } from "./service";
import { type Column, DataTable, type Row } from "./table";

export interface FigureProps {
  id: string;
  title: string;
  unit: string;
  answer: Answer<Dated>;
  // The dates that the figures are of; without: as of now, whatever the date control says.
  span?: string;
  columns: Column[];
  rows: Row[];
  empty: ComponentChildren;
  draw?: Draw; // Without one the table is all there is.
  height?: number;
  onPick?: (picked: Picked) => void;
  controls?: ComponentChildren;
  note?: ComponentChildren;
  isEmpty?: boolean; // Without: when there are no rows.
  wholeTable?: boolean;
  startsEmpty?: boolean; // Nothing is asked before somebody wants it.
  // What a click elsewhere on the screen opened: come into sight when that changes.
  opened?: string;
}

export function Figure(props: FigureProps) {
  const address = useAddress();
  const chart = useRef<EChartsType | null>(null);
  const figure = useRef<HTMLElement>(null);
  const scene = useScene();
  const { id, title, answer } = props;
  const currency = answer.data?.currency ?? "";
  const tables = (address.params.get("table") ?? "").split(",").filter(Boolean);
  const asTable = !props.draw || tables.includes(id);
  const isEmpty = props.isEmpty ?? props.rows.length === 0;
  const isBusy = answer.isOld && !answer.error;
  const headline = isEmpty ? title.split(":")[0] : title;

  const linked = address.params.get("figure") === id;
  useEffect(() => {
    if (linked) figure.current?.scrollIntoView({ block: "start" });
  }, [linked]);

  useEffect(() => {
    if (props.opened === undefined) return;
    figure.current?.scrollIntoView({ block: "start" });
    figure.current?.focus({ preventScroll: true });
  }, [props.opened]);

  const toggle = () => {
    const next = asTable ? tables.filter((one) => one !== id) : [...tables, id];
    replace(here(address, { table: next.join(",") || null }));
  };
  const asOf = answer.data?.as_of ? `as of ${time(answer.data.as_of)} UTC` : "";
  const span = props.span ?? (isDated(address) ? "now: the dates above do not change it" : "now");
  const meta = [props.unit, span, asOf].filter(Boolean);
  // Of other screens, dates or segmentations: other files.
  const name = [
    "rfmstream",
    address.screen || "overview",
    address.id,
    id,
    scene.segmentation,
    props.span === undefined ? "" : `${scene.span.from || "begin"}_${scene.span.to || scene.today}`,
    (answer.data?.as_of ?? "").slice(0, 10),
  ]
    .filter(Boolean)
    .join("-")
    .replace(/[^\p{L}\p{N}._-]+/gu, "_");

  return (
    <figure
      ref={figure}
      id={`figure-${id}`}
      class={linked ? "panel linked" : "panel"}
      aria-busy={isBusy}
      aria-labelledby={`title-${id}`}
      tabIndex={props.opened === undefined ? undefined : -1}
    >
      <div class="top">
        <figcaption>
          <h2 id={`title-${id}`}>{headline}</h2>
          <p class="meta">
            {meta.map((text) => (
              <span key={text}>{text}</span>
            ))}
          </p>
        </figcaption>
        <div class="tools">
          {/* Also of an empty figure: what emptied it may be a choice among them. */}
          {props.controls}
          {!isEmpty && (
            <>
              {props.draw && (
                <button type="button" aria-pressed={asTable} onClick={toggle}>
                  Table
                </button>
              )}
              {/* Of old figures neither: a file would be named as the others. */}
              <button
                type="button"
                disabled={answer.isOld}
                onClick={() => saveCsv(name, props.columns, props.rows)}
              >
                CSV
              </button>
              {props.draw && !asTable && (
                <button
                  type="button"
                  disabled={answer.isOld}
                  onClick={() =>
                    chart.current && savePng(name, chart.current, title, meta.join(" · "))
                  }
                >
                  PNG
                </button>
              )}
              <LinkButton id={id} />
            </>
          )}
        </div>
      </div>
      {isBusy && answer.isMaking && (
        <p class="trouble" role="status">
          These are the figures of before: the service counts those asked for …
        </p>
      )}
      {answer.data && answer.error && (
        <p class="trouble" role="alert">
          These are {answer.isOld ? "not the figures asked for" : "the last figures"}: {refusalWords(answer.error.status)}{" "}
          {answer.error.status !== 0 && `It says: ${answer.error.message}`}
        </p>
      )}
      {!answer.data && !props.startsEmpty ? (
        <Waiting answer={answer} />
      ) : isEmpty ? (
        <div class="empty">{props.empty}</div>
      ) : asTable ? (
        <DataTable
          caption={headline}
          columns={props.columns}
          rows={props.rows}
          currency={currency}
          whole={props.wholeTable}
        />
      ) : (
        props.draw && (
          <Chart
            draw={props.draw}
            label={`${title}. ${props.unit}. The button Table shows the figures.`}
            height={props.height ?? 320}
            onPick={props.onPick}
            handle={chart}
          />
        )
      )}
      {props.note && !isEmpty && <p class="note">{props.note}</p>}
    </figure>
  );
}

// The address of this very figure, also copied.
function LinkButton(props: { id: string }) {
  const address = useAddress();
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    const target = here(address, { figure: props.id });
    replace(target);
    try {
      await navigator.clipboard.writeText(location.href);
      setCopied(true);
      window.setTimeout(() => setCopied(false), 2000);
    } catch {
      // Not allowed here: the address bar has it.
    }
  };
  return (
    <button type="button" onClick={copy}>
      {copied ? "Link copied" : "Link"}
    </button>
  );
}

// What is older than the books of a state that an earlier version made is not in them.
export function Since(props: { answer: Counted }) {
  const { since } = props.answer;
  if (!since) return null;
  return (
    <p class="trouble">
      These figures are counted from {time(since)} UTC on: an earlier version made this state. A
      replay of the history counts all of it.
    </p>
  );
}

// A choice among a few, kept in the address.
export function Choose(props: {
  label: string;
  name: string;
  options: [value: string, text: string][];
}) {
  const address = useAddress();
  const value = address.params.get(props.name) ?? props.options[0]?.[0] ?? "";
  return (
    <label class="choose">
      <span>{props.label}</span>
      <select
        value={value}
        onChange={(event) => {
          const next = event.currentTarget.value;
          const isDefault = next === props.options[0]?.[0];
          replace(here(address, { [props.name]: isDefault ? null : next, page: null }));
        }}
      >
        {props.options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

export function chosen(params: URLSearchParams, name: string, otherwise: string): string {
  return params.get(name) ?? otherwise;
}

export const kListedMax = 10_000; // Rows; the service lists no more, an export has all.

// In place of a page that the service does not list.
export function Beyond(props: { table: string }) {
  const address = useAddress();
  return (
    <div class="panel problem">
      <h2>There is no such page</h2>
      <p>
        At most {count(kListedMax)} rows are listed here; <code>rfmstream export {props.table}</code>{" "}
        writes all. <a href={here(address, { page: null })}>To the first page</a>
      </p>
    </div>
  );
}

// Pages of what comes from the service by page.
export function Pages(props: { total: number; size: number }) {
  const address = useAddress();
  const page = Math.max(1, Number(address.params.get("page")) || 1);
  const last = Math.max(1, Math.ceil(Math.min(props.total, kListedMax) / props.size));
  if (last === 1) return null;
  const link = (to: number, text: string) =>
    to >= 1 && to <= last ? (
      <a href={here(address, { page: to === 1 ? null : to })}>{text}</a>
    ) : (
      <span>{text}</span>
    );
  return (
    <nav class="pages" aria-label="Pages">
      {link(page - 1, "Previous")}
      <span>
        page {page} of {last}
      </span>
      {link(page + 1, "Next")}
    </nav>
  );
}

const kRefusals: Record<number, string> = {
  0: "the service does not answer. Is it running, and reachable at this address?",
  400: "the service did not understand the question. Is something in the address mistyped?",
  401: "a token is needed for this.",
  403: "the service does not allow this.",
  404: "the service knows nothing of this.",
  429: "the service is asked too much just now.",
  503: "the service cannot answer yet: it starts, restores its state or waits.",
};

function refusalWords(status: number): string {
  return kRefusals[status] ?? `the service answered with an error (${status}).`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

// What stands in place of a screen's figures until there are any.
export function Waiting(props: { answer: Answer<unknown>; missing?: string; making?: string }) {
  const { error, again } = props.answer;
  if (!error)
    return (
      <p class="waiting" role="status">
        {props.making ? props.making : props.answer.isMaking ? "The service counts …" : "Asking the service …"}
      </p>
    );
  const words = error.status === 404 ? props.missing : undefined;
  return (
    <div class="panel problem" role="alert">
      <h2>{words ?? capital(refusalWords(error.status))}</h2>
      {error.status !== 0 && <p>It says: {error.message}</p>}
      <p>
        {error.status === 404 ? null : "It is asked again by itself. "}
        <button type="button" onClick={again}>
          Ask now
        </button>
      </p>
    </div>
  );
}
