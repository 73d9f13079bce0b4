// Figures as people read them. One language (English), ISO dates, UTC.

export type Kind = "text" | "count" | "money" | "percent" | "days" | "decimal" | "date" | "time";

const counts = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const decimals = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 2 });
const compact = new Intl.NumberFormat("en-GB", { notation: "compact", maximumFractionDigits: 1 });

export const kNothing = "–";

function missing(value: unknown): boolean {
  return value === null || value === undefined || value === "" || Number.isNaN(Number(value));
}

export function count(value: number | null | undefined): string {
  return missing(value) ? kNothing : counts.format(Number(value));
}

export function decimal(value: number | string | null | undefined): string {
  return missing(value) ? kNothing : decimals.format(Number(value)).replace(/^-0$/, "0");
}

// An axis' label: 12K, 3.4M.
export function short(value: number): string {
  return compact.format(value);
}

const moneyFormats = new Map<string, Intl.NumberFormat>();

// Below 100 with the small unit. A currency that is not known to the browser is written behind.
export function money(value: number | string | null | undefined, currency: string): string {
  if (missing(value)) return kNothing;
  const amount = Number(value);
  const digits = Math.abs(amount) < 100 && !Number.isInteger(amount) ? 2 : 0;
  return amountText(amount, digits, currency);
}

export function exactMoney(value: number | string | null | undefined, currency: string): string {
  return missing(value) ? kNothing : amountText(Number(value), 2, currency);
}

function amountText(amount: number, digits: number, currency: string): string {
  if (!/^[A-Z]{3}$/.test(currency)) {
    const text = digits === 0 ? counts.format(amount) : amount.toFixed(digits);
    return currency ? `${text} ${currency}` : text;
  }
  const key = currency + digits;
  let format = moneyFormats.get(key);
  if (!format) {
    format = new Intl.NumberFormat("en-GB", {
      style: "currency",
      currency,
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
    moneyFormats.set(key, format);
  }
  return format.format(amount);
}

export function percent(share: number | null | undefined): string {
  if (missing(share)) return kNothing;
  const value = Number(share) * 100;
  const digits = value !== 0 && Math.abs(value) < 10 ? 1 : 0;
  return `${value.toFixed(digits)} %`;
}

// "12 % of 4,339 customers": a percentage always with its base.
export function percentOf(part: number, whole: number, base: string): string {
  return whole === 0 ? kNothing : `${percent(part / whole)} of ${count(whole)} ${base}`;
}

export function days(value: number | null | undefined): string {
  if (missing(value)) return kNothing;
  const text = Number(value) < 100 ? Number(value).toFixed(1) : counts.format(Number(value));
  return `${text} days`;
}

export function date(instant: string | null | undefined): string {
  return instant ? instant.slice(0, 10) : kNothing;
}

export function time(instant: string | null | undefined): string {
  return instant ? instant.slice(0, 16).replace("T", " ") : kNothing;
}

export function seconds(value: number): string {
  if (value < 90) return `${Math.round(value)} s`;
  if (value < 5400) return `${Math.round(value / 60)} min`;
  if (value < 129600) return `${Math.round(value / 3600)} h`;
  return `${Math.round(value / 86400)} days`;
}

export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit + 1 < units.length) {
    value /= 1024;
    ++unit;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

export function shown(value: unknown, kind: Kind, currency: string): string {
  switch (kind) {
    case "count":
      return count(value as number);
    case "money":
      return exactMoney(value as number, currency);
    case "percent":
      return percent(value as number);
    case "days":
      return days(value as number);
    case "decimal":
      return decimal(value as number);
    case "date":
      return date(value as string);
    case "time":
      return time(value as string);
    default:
      return value === null || value === undefined || value === "" ? kNothing : String(value);
  }
}

// "R 5, F 3"; the churn risk as itself, not as a score of which the highest is the least risk.
export function scoresWords(
  scores: Record<string, number> | undefined,
  risk: number | null | undefined,
  cuts?: Record<string, number[]>,
): string {
  const parted = (axis: string, words: (cut: number) => string) =>
    cuts?.[axis]?.length ? ` (parted at ${cuts[axis].map(words).join(", ")})` : "";
  return Object.entries(scores ?? {})
    .map(([axis, score]) =>
      axis === "risk"
        ? `risk ${percent(risk)}${parted(axis, percent)}`
        : `${axis.toUpperCase()} ${score}${parted(axis, decimal)}`,
    )
    .join(", ");
}

export function plural(amount: number, one: string, many = `${one}s`): string {
  return `${count(amount)} ${amount === 1 ? one : many}`;
}

const reasons: Record<string, string> = {
  purchase: "a purchase",
  return: "a return",
  late_event: "an event that came late",
  inactivity: "silence",
  population_shift: "other customers (cuts moved)",
  model_change: "a new model",
  rules_change: "other rules",
  erasure: "erasure",
  backfill: "history read in",
};

export function reasonWords(reason: string): string {
  return reasons[reason] ?? reason;
}

export function dayBefore(day: string, back: number): string {
  const at = new Date(`${day}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() - back);
  return at.toISOString().slice(0, 10);
}

export const kWeekdays = [
  "Monday",
  "Tuesday",
  "Wednesday",
  "Thursday",
  "Friday",
  "Saturday",
  "Sunday",
];
