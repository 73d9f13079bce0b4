// One colour and one place for each segment, on every chart and in both themes.

const known: Record<string, string> = {
  Champions: "#1f8a4c",
  Loyal: "#1d9a9a",
  "Potential Loyalist": "#4a8fdb",
  New: "#7a5bd0",
  Promising: "#b08ae6",
  "Need Attention": "#d9ac00",
  "About to Sleep": "#ec8a2c",
  "Can't Lose": "#b3265e",
  "At Risk": "#dd5258",
  Hibernating: "#7b8794",
  Occasional: "#4a8fdb",
  "Dormant high-value": "#b3265e",
  Low: "#1f8a4c",
  Medium: "#d9ac00",
  High: "#dd5258",
  Unassigned: "#aab3bd",
  none: "#c3cad2",
  other: "#94a0ad",
};

const others = [
  "#2f7ed8",
  "#c77700",
  "#8250df",
  "#bc4c00",
  "#0f766e",
  "#be4b8a",
  "#6b8e23",
  "#57606a",
];

// FNV-1a, so that a name of the user's own keeps its colour.
function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; ++i) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

export function colourOf(segment: string): string {
  return known[segment] ?? others[hashOf(segment) % others.length];
}

export function luminance(colour: string): number {
  const parts = [1, 3, 5].map((at) => {
    const c = parseInt(colour.slice(at, at + 2), 16) / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
}

// Black or white, whichever is read better on `colour`.
export function inkOn(colour: string): string {
  return luminance(colour) > 0.179 ? "#000000" : "#ffffff";
}

// From the background to the accent, for the cells of a matrix.
export function shade(low: string, high: string, share: number): string {
  const t = Math.max(0, Math.min(1, share));
  const mixed = [1, 3, 5].map((at) => {
    const a = parseInt(low.slice(at, at + 2), 16);
    const b = parseInt(high.slice(at, at + 2), 16);
    return Math.round(a + (b - a) * t)
      .toString(16)
      .padStart(2, "0");
  });
  return `#${mixed.join("")}`;
}

export function isNobody(segment: string): boolean {
  return segment === "none" || segment === "";
}

// In words also where a customer comes from at the first purchase, and is after an erasure.
export function segmentWords(segment: string, side: "from" | "to" = "from"): string {
  if (isNobody(segment)) return side === "from" ? "(first purchase)" : "(erased)";
  return segment;
}

// Best first; names that are not in `ranked` last, in the order of the alphabet.
export function orderOf(ranked: string[]): (a: string, b: string) => number {
  const place = new Map(ranked.map((name, index) => [name, index]));
  const last = ranked.length;
  return (a, b) => (place.get(a) ?? last) - (place.get(b) ?? last) || a.localeCompare(b);
}
