// Asking the service. What is shown is asked again every few seconds, with the ETag of the answer
// before, so that an unchanged answer costs a few bytes; what is not shown is not asked.
import { useEffect, useReducer, useRef } from "preact/hooks";

export const kPollSeconds = 5;
export const kCountSeconds = 15; // What takes the service a pass over all customers.
const kPollSecondsMax = 30;
const kWaitSeconds = 30; // For one answer.
const kRoundsMax = 300; // Of asking for what is in the making.

export class Refusal extends Error {
  status: number; // 0: no answer.
  reason: string; // The service's word for it.

  constructor(status: number, message: string, reason = "") {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

export interface Answer<T> {
  data: T | null;
  error: Refusal | null;
  // When the service last confirmed `data`, by the browser's clock; 0: never.
  confirmedAt: number;
  isMaking: boolean; // The service counts: asked again in a second.
  isOld: boolean; // `data` answers the question before: of other dates, or another choice.
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

// The service says why it refuses: `{"status": 503, "reason": "busy", "detail": ".."}`; of a setting
// that it does not take also `key`, `value` and what is `allowed`.
function refusalOf(status: number, body: string): Refusal {
  try {
    const { detail, error, reason, key, value, allowed } = JSON.parse(body);
    const said = detail ?? error;
    if (typeof said === "string") {
      const which = key ? ` (${[key, value].filter((one) => one !== undefined).join(" = ")})` : "";
      const choices = allowed ? `. Allowed: ${[allowed].flat().join(", ")}` : "";
      return new Refusal(status, said + which + choices, String(reason ?? ""));
    }
  } catch {
    // Not the service's: what stands between answers in words of its own.
  }
  return new Refusal(status, `status ${status}`);
}

// It counts still, and is to be asked again in a second.
function isInTheMaking(refusal: Refusal): boolean {
  return refusal.status === 202;
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
  if (!response.ok || response.status === 202) throw refusalOf(response.status, body);
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
    isMaking: false,
    isOld: false,
    again: () => undefined,
  });
  // Another question of the same path (other dates) keeps the old figures until the new ones come.
  if (state.current.path !== path) {
    const kept = path ? etags.get(path) : undefined;
    const same = state.current.path?.split("?")[0] === path?.split("?")[0];
    const data = (kept?.data as T) ?? (same ? state.current.data : null);
    const isOld = data !== null && !kept;
    state.current = { ...state.current, path, data, error: null, isMaking: false, isOld };
  }
  useEffect(() => {
    if (path === null) return undefined;
    let timer = 0;
    let failures = 0;
    let running: AbortController | null = null;

    const next = () => {
      if (state.current.isMaking) {
        timer = window.setTimeout(round, 1000);
        return;
      }
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
        const changed = data !== now.data || now.error !== null || now.isMaking;
        failures = 0;
        if (!changed && now.confirmedAt > 0) {
          now.confirmedAt = Date.now(); // In place: seen also by who drew before.
        } else {
          const confirmedAt = Date.now();
          state.current = { ...now, data, error: null, isMaking: false, isOld: false, confirmedAt };
          redraw(0);
        }
      } catch (error) {
        if (running !== mine || !(error instanceof Refusal)) return;
        const isMaking = isInTheMaking(error);
        failures = isMaking ? 0 : Math.min(failures + 1, 5);
        const data = error.status === 404 ? null : now.data;
        const isOld = data !== null && now.isOld;
        state.current = { ...now, data, isMaking, isOld, error: isMaking ? null : error };
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

// What takes a token, which goes into the header of these requests and is kept nowhere. `counted`: a
// 202 means that the service counts still, so that it is asked again.
export async function post(
  path: string,
  body: string,
  token: string,
  counted: "counted" | "done",
): Promise<unknown> {
  const headers: Record<string, string> = { "Content-Type": "application/toml" };
  if (token) headers.Authorization = `Bearer ${token}`;
  for (let round = 0; ; ++round) {
    let response: Response;
    try {
      response = await fetch(path, { method: "POST", headers, body });
    } catch {
      throw new Refusal(0, "no answer");
    }
    const text = await response.text();
    if (response.ok && (response.status !== 202 || counted === "done")) {
      return text ? JSON.parse(text) : {};
    }
    const refusal = refusalOf(response.status, text);
    if (!isInTheMaking(refusal) || round === kRoundsMax) throw refusal;
    await new Promise((resolve) => window.setTimeout(resolve, 1000));
  }
}
