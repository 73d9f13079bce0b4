// How far the service is behind, since the page was opened, whatever screen is shown.
import { useEffect } from "preact/hooks";
import type { Pipeline } from "./answers";
import { type Answer, kPollSeconds } from "./service";

export interface Lag {
  records: number;
  seconds: number; // Of event time, in the partition that is farthest behind.
}

export const kLookMs = kPollSeconds * 1000;
const kLooksMax = 720; // An hour.

export const looks: (Lag & { at: number })[] = [];

export function lagOf({ partitions }: Pipeline): Lag {
  return {
    records: partitions.reduce((sum, one) => sum + (one.lag ?? 0), 0),
    seconds: Math.max(0, ...partitions.map((one) => one.lag_seconds ?? 0)),
  };
}

// Once for each time that the service confirmed its figures, be they the same.
function look(status: Answer<Pipeline>): void {
  const at = status.confirmedAt;
  if (!status.data || looks[looks.length - 1]?.at === at) return;
  looks.push({ at, ...lagOf(status.data) });
  if (looks.length > kLooksMax) looks.shift();
}

export function useLooks(status: Answer<Pipeline>): void {
  useEffect(() => {
    look(status);
    const timer = window.setInterval(() => look(status), kLookMs);
    return () => window.clearInterval(timer);
  }, [status]);
}
