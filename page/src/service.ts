// Asking the service. What is shown is asked again every few seconds, with the ETag of the answer
// before, so that an unchanged answer costs a few bytes; what is not shown is not asked.
import { useEffect, useReducer, useRef } from "preact/hooks";

export const kPollSeconds = 5;
const kPollSecondsMax = 30;
const kWaitSeconds = 30; // For one answer.

export class Refusal extends Error {
  status: number; // 0: no answer.

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface Answer<T> {
  data: T | null;
  error: Refusal | null;
  // When the service last confirmed `data`, by the browser's clock; 0: never.
  confirmedAt: number;
  again: () => void;
}

export type Params = Record<string, string | number | null | undefined>;

export function pathOf(path: string, params: Params = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

// The service's own words of why it refuses, as JSON or text.
export function refusalText(status: number, body: string): string {
  try {
    const parsed = JSON.parse(body);
    const text = parsed.detail ?? parsed.message ?? parsed.error ?? parsed.title;
    if (typeof text === "string" && text) return text;
  } catch {
    if (body && body.length < 500 && !body.startsWith("<")) return body.trim();
  }
  return `status ${status}`;
}

// --- lost service ---

type Listener = () => void;

// Whether any question found no service at all; shown once, at the top of the page.
class Connection {
  lostSince = 0;
  private listeners = new Set<Listener>();

  answered(): void {
    if (this.lostSince === 0) return;
    this.lostSince = 0;
    this.tell();
  }

  lost(): void {
    if (this.lostSince !== 0) return;
    this.lostSince = Date.now();
    this.tell();
  }

  subscribe(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

export const connection = new Connection();

export function useConnection(): number {
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  useEffect(() => connection.subscribe(() => redraw(0)), []);
  return connection.lostSince;
}

// --- asking ---

const etags = new Map<string, { etag: string; data: unknown }>();
const kKeptMax = 40;

function keep(path: string, etag: string, data: unknown): void {
  etags.delete(path);
  etags.set(path, { etag, data });
  const oldest = etags.keys().next();
  if (etags.size > kKeptMax && !oldest.done) etags.delete(oldest.value);
}

async function ask(path: string, signal: AbortSignal): Promise<unknown> {
  const kept = etags.get(path);
  let response: Response;
  try {
    response = await fetch(path, {
      signal,
      cache: "no-store",
      headers: kept ? { "If-None-Match": kept.etag } : {},
    });
  } catch (error) {
    if (signal.aborted && signal.reason !== "late") throw error;
    connection.lost();
    throw new Refusal(0, signal.aborted ? `no answer within ${kWaitSeconds} s` : "no answer");
  }
  connection.answered();
  if (response.status === 304 && kept) return kept.data;
  const body = await response.text();
  if (!response.ok) throw new Refusal(response.status, refusalText(response.status, body));
  try {
    const data = JSON.parse(body);
    const etag = response.headers.get("ETag");
    if (etag) keep(path, etag, data);
    return data;
  } catch {
    throw new Refusal(response.status, "the answer is not JSON");
  }
}

// Asks for `path` (null: nothing) now and every `everySeconds` (0: once) while it is shown.
export function useAnswer<T>(path: string | null, everySeconds = kPollSeconds): Answer<T> {
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const state = useRef<Answer<T> & { path: string | null }>({
    path: null,
    data: null,
    error: null,
    confirmedAt: 0,
    again: () => undefined,
  });
  // Another question of the same path (other dates) keeps the old figures until the new ones come.
  if (state.current.path !== path) {
    const kept = path ? etags.get(path) : undefined;
    const same = state.current.path?.split("?")[0] === path?.split("?")[0];
    const data = (kept?.data as T) ?? (same ? state.current.data : null);
    state.current = { ...state.current, path, data, error: null };
  }
  useEffect(() => {
    if (path === null) return undefined;
    let timer = 0;
    let failures = 0;
    let running: AbortController | null = null;

    const next = () => {
      const wait = Math.min(kPollSecondsMax, (everySeconds || kPollSeconds) * 2 ** failures);
      if (everySeconds > 0 || failures > 0) timer = window.setTimeout(round, wait * 1000);
    };
    const round = async () => {
      window.clearTimeout(timer);
      if (document.hidden) return; // `shown` goes on.
      running?.abort();
      const mine = new AbortController();
      running = mine;
      const late = window.setTimeout(() => mine.abort("late"), kWaitSeconds * 1000);
      const now = state.current;
      try {
        const data = (await ask(path, mine.signal)) as T;
        if (running !== mine) return;
        const changed = data !== now.data || now.error !== null;
        state.current = { ...now, data, error: null, confirmedAt: Date.now() };
        failures = 0;
        if (changed || now.confirmedAt === 0) redraw(0);
      } catch (error) {
        if (running !== mine || !(error instanceof Refusal)) return;
        failures = Math.min(failures + 1, 5);
        const data = error.status === 404 ? null : now.data;
        state.current = { ...now, data, error };
        redraw(0);
      } finally {
        window.clearTimeout(late);
      }
      if (running === mine) next();
    };
    const shown = () => {
      if (!document.hidden) void round();
    };
    state.current.again = () => {
      failures = 0;
      void round();
    };
    document.addEventListener("visibilitychange", shown);
    void round();
    return () => {
      document.removeEventListener("visibilitychange", shown);
      window.clearTimeout(timer);
      const last = running;
      running = null;
      last?.abort();
    };
  }, [path, everySeconds]);
  return state.current;
}

// A change. The token goes into the header of this one request and is kept nowhere.
export async function post(path: string, body: string, token: string): Promise<unknown> {
  const headers: Record<string, string> = { "Content-Type": "application/toml" };
  if (token) headers.Authorization = `Bearer ${token}`;
  let response: Response;
  try {
    response = await fetch(path, { method: "POST", headers, body });
  } catch {
    throw new Refusal(0, "no answer");
  }
  const text = await response.text();
  if (!response.ok) throw new Refusal(response.status, refusalText(response.status, text));
  return text ? JSON.parse(text) : {};
}
