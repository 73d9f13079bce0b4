// What every screen stands on: as of when, which dates, which segmentation, the segments' order.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { type Address, useAddress } from "./address";
import type { Envelope, Pipeline, Segments } from "./answers";
import { dayBefore } from "./format";
import { useLooks } from "./lag";
import { orderOf } from "./segments";
import { type Answer, pathOf, useAnswer } from "./service";

export interface Span {
  from: string; // Dates, both included; "": from the beginning, or to the end.
  to: string;
  choice: string; // "30", "90", "365", "all" or "own".
  words: string;
  fault?: string; // What of the address cannot be, and is left out.
}

export interface Scene {
  status: Answer<Pipeline>;
  catalogue: Answer<Segments>;
  today: string; // The day of the newest figures; "": unknown yet.
  span: Span;
  segmentation: string;
  missing: string; // The segmentation of the address, where there is none of that name.
  segmentations: string[];
  order: (a: string, b: string) => number; // Of segments, best first.
  currency: string;
}

export const kSpans: [value: string, text: string][] = [
  ["365", "last 365 days"],
  ["90", "last 90 days"],
  ["30", "last 30 days"],
  ["all", "all there is"],
];

// Without a choice. A year ago most customers of a young shop were not there, and nobody moved.
export function usualSpan(screen: string): string {
  return screen === "moves" ? "90" : "365";
}

function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`));
}

// What is wrong with the dates of an address; "": nothing.
function faultOf(from: string, to: string): string {
  const bad = [from, to].find((one) => one && !isDay(one));
  if (bad) return `“${bad}” in the address is not a date such as 2011-12-09`;
  return from && to && from > to ? `The first date, ${from}, is after the last, ${to}` : "";
}

function spanOf({ params, screen }: Address, today: string): Span {
  const from = params.get("from") ?? "";
  const to = params.get("to") ?? "";
  const fault = faultOf(from, to);
  if (fault) {
    const usual = { params: new URLSearchParams(), screen, id: "" };
    return { ...spanOf(usual, today), fault };
  }
  if (from || to) {
    return { from, to, choice: "own", words: `${from || "the beginning"} to ${to || today}` };
  }
  const choice = params.get("span") ?? usualSpan(screen);
  const days = Number(choice);
  if (!(days > 0) || !today) return { from: "", to: "", choice, words: `all until ${today}` };
  const first = dayBefore(today, days - 1);
  return { from: first, to: today, choice, words: `${first} to ${today}` };
}

// The service shows moves of 90 days unless it is told otherwise.
export function movesFrom(span: Span): string {
  return span.from || "1970-01-01";
}

export const SceneContext = createContext<Scene | null>(null);

export function useScene(): Scene {
  const scene = useContext(SceneContext);
  if (!scene) throw new Error("a screen outside of the scene");
  return scene;
}

export function useNewScene(): Scene {
  const address = useAddress();
  const { params } = address;
  const status = useAnswer<Pipeline>("/pipeline");
  useLooks(status);
  const today = (status.data?.as_of ?? "").slice(0, 10);
  const asked = params.get("seg") ?? "";
  const day = { from: today, to: today };
  const wanted = useAnswer<Segments>(
    today ? pathOf("/segments", { segmentation: asked, ...day }) : null,
    60,
  );
  const missing = wanted.error?.status === 400 ? asked : "";
  const usual = useAnswer<Segments>(missing ? pathOf("/segments", day) : null, 60);
  const catalogue = missing ? usual : wanted;
  const segments = catalogue.data?.segments ?? [];
  const ranked = [...segments].sort((a, b) => b.rank - a.rank).map((one) => one.name);
  return {
    status,
    catalogue,
    today,
    span: spanOf(address, today),
    segmentation: (missing ? "" : asked) || (catalogue.data?.segmentation ?? ""),
    missing,
    segmentations: catalogue.data?.segmentations ?? (asked ? [asked] : []),
    order: orderOf(ranked),
    currency: catalogue.data?.currency ?? "",
  };
}

// "net of returns" or not: said wherever money is.
export function moneyWords(answer: Envelope | null): string {
  const currency = answer?.currency || "money";
  return (answer?.monetary_kind ?? answer?.monetary) === "gross"
    ? `${currency}, returns not taken off`
    : `${currency}, net of returns`;
}
