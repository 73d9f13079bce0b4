// The screens in the order of the navigation.
import type { Address } from "./address";

export interface ScreenEntry {
  path: string;
  name: string;
  key: string; // With Alt and Shift it leads there.
  question: string;
  dated: boolean; // Obeys the dates.
  segmented: boolean; // Obeys the segmentation.
}

export const screens: ScreenEntry[] = [
  {
    path: "",
    name: "Overview",
    key: "O",
    dated: true,
    segmented: true,
    question: "How big are the segments, what are they worth, what changed?",
  },
  {
    path: "moves",
    name: "Moves",
    key: "M",
    dated: true,
    segmented: true,
    question: "Who moved between two dates, and why?",
  },
  {
    path: "grid",
    name: "Grid",
    key: "G",
    dated: false,
    segmented: true,
    question: "Where do customers stand by recency and by frequency and spend?",
  },
  {
    path: "customers",
    name: "Customers",
    key: "C",
    dated: false,
    segmented: true,
    question: "Which customers are in a segment?",
  },
  {
    path: "sales",
    name: "Sales",
    key: "S",
    dated: true,
    segmented: true,
    question: "What is sold when, where and to whom?",
  },
  {
    path: "retention",
    name: "Retention",
    key: "R",
    dated: true,
    segmented: false,
    question: "Who comes back, who is lost?",
  },
  {
    path: "risk",
    name: "Risk",
    key: "K",
    dated: false,
    segmented: false,
    question: "How much revenue is at risk, and with whom?",
  },
  {
    path: "models",
    name: "Models",
    key: "D",
    dated: true,
    segmented: false,
    question: "What did each model learn, and how well does it hold?",
  },
  {
    path: "k",
    name: "Cluster count",
    key: "N",
    dated: false,
    segmented: false,
    question: "How many clusters should there be?",
  },
  {
    path: "rules",
    name: "Rules lab",
    key: "L",
    dated: false,
    segmented: false,
    question: "What would other rules do?",
  },
  {
    path: "score",
    name: "Score",
    key: "V",
    dated: false,
    segmented: false,
    question: "Where would a customer with these figures be?",
  },
  {
    path: "pipeline",
    name: "Pipeline",
    key: "P",
    dated: false,
    segmented: false,
    question: "Does everything arrive, and how fast?",
  },
];

export function entryOf(address: Address): ScreenEntry | undefined {
  return screens.find((entry) => entry.path === address.screen);
}

// Whether the segmentation is above the screen's figures.
export function isSegmented(address: Address): boolean {
  return entryOf(address)?.segmented ?? address.screen === "c";
}

// Whether the dates are above the screen's figures at all.
export function isDated(address: Address): boolean {
  return entryOf(address)?.dated ?? address.screen === "c";
}
