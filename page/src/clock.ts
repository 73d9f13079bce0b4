import { useEffect, useReducer } from "preact/hooks";

// The time now; draws again every `everyMs`.
export function useClock(everyMs: number): number {
  const [, tick] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    const timer = window.setInterval(() => tick(0), everyMs);
    return () => window.clearInterval(timer);
  }, [everyMs]);
  return Date.now();
}
