// What the service answers, as docs/openapi.json describes it.

export interface Dated {
  as_of?: string | null;
  currency?: string;
}

export interface Envelope extends Dated {
  partitions?: { held: number; total: number };
  monetary?: unknown; // "net" or "gross"; in /customers/{id} his money, and the kind beside it.
  monetary_kind?: string;
  model_version?: number | null;
  rules_version?: number | null;
}

// Money comes as a JSON number, in /customers/{id} as text.
export type Money = number | string;

export interface Segment {
  name: string;
  rank: number;
  description: string;
  action: string;
  customers: number;
  share: number;
  monetary: number;
  revenue_share: number;
  orders: number;
  aov: number;
  recency_days: number;
  frequency: number;
  monetary_mean: number;
  churn_risk: number | null;
}

export interface Version {
  at: string;
  kind: "model" | "rules" | string;
  number: number;
  what: string;
}

export interface Segments extends Envelope {
  segmentations: string[];
  segmentation: string;
  segments: Segment[];
  days: { date: string; segments: Record<string, [number, number]> }[];
  versions: Version[];
}

export interface Flow {
  from: string;
  to: string;
  reason: string;
  actionable: boolean;
  moves: number;
  monetary: number;
}

// Of books: from when on all is counted; null: from the first record on.
export interface Counted extends Envelope {
  since?: string | null;
}

export interface Transitions extends Counted {
  segmentation: string;
  flows: Flow[];
  days: { date: string; moves: number; actionable: number }[];
  net: { from: string; to: string; customers: number }[];
  came_back: number;
  moved_customers: number; // Each counted once, as is their money.
  moved_monetary: number;
}

export interface Move {
  date: string;
  segmentation?: string;
  from: string;
  to: string;
  reason: string;
  actionable: boolean;
}

export interface MovedCustomers extends Envelope {
  total: number;
  customers: { customer_id: string; monetary: number; moves: Move[] }[];
}

export interface Axis {
  name: string;
  quantity: string;
  unit: string; // "money": in the currency.
  cuts: number[];
}

export interface Grid extends Envelope {
  segmentation: string;
  axes: Axis[];
  coordinates: { name: string; scores: number }[];
  cells: {
    scores: number[]; // By coordinate.
    segment: string;
    customers: number;
    monetary: number;
    monetary_median: number | null;
  }[];
}

export interface CustomerLine {
  customer_id: string;
  country: string;
  recency_days: number;
  frequency: number;
  monetary: number;
  aov: number;
  churn_risk: number | null;
  value_at_risk: number | null;
  segments: Record<string, string>;
}

export interface Customers extends Envelope {
  total: number;
  customers: CustomerLine[];
}

export interface Customer extends Envelope {
  customer_id: string;
  country: string;
  first_purchase: string | null;
  last_purchase: string | null;
  recency_days: number | null;
  frequency: number;
  monetary: Money;
  sales: Money;
  credits: Money;
  churn_risk: number | null;
  segments: Record<
    string,
    {
      segment: string;
      since: string;
      scores?: Record<string, number>;
      next?: { at: string; segment: string } | null;
    }
  >;
  deadlines?: { at: string; what: string }[];
  ledger?: { time: string; type: string; amount: Money }[];
  history?: Move[]; // Absent where the state keeps none.
}

export interface Amounts {
  gross: number;
  credits: number;
  net: number;
}

export interface Sum extends Amounts {
  invoices: number; // Of customers.
  unnamed_records: number; // Sales and returns without a customer.
  units?: number;
  customers?: number;
}

export interface Sales extends Counted {
  days: (Sum & { date: string })[];
  countries: (Sum & { country: string })[];
  months: (Sum & { month: string })[];
  hours: (Amounts & { weekday: number; hour: number; invoices_and_unnamed_sales: number })[];
  products: {
    stock_code: string;
    description: string;
    gross: number;
    credits: number;
    net: number;
    units: number;
  }[];
  unnamed: Amounts & { records: number };
  unallocated: Amounts;
  segments: { segment: string; country: string; customers: number; monetary: number }[];
  concentration: { customers_share: number; revenue_share: number }[];
}

export interface Retention extends Envelope {
  cohorts: {
    month: string;
    customers: number;
    months: { month: string; buyers: number; revenue: number; complete: boolean }[];
  }[];
  lost: { month: string; lost: number; regained: number; complete: boolean }[];
  spends_less_customers: number;
  spends_less: {
    customer_id: string;
    frequency: number;
    aov: number;
    aov_before: number;
    missing: number;
  }[];
}

export interface Risk extends Envelope {
  horizon_days: number;
  histogram: { from: number; to: number; customers: number; value_at_risk: number }[];
  bands: { segment: string; customers: number; value_at_risk: number }[];
  calibration: { risk: number; observed: number; customers: number }[];
  value_at_risk: number;
  top: CustomerLine[];
}

export interface Cluster {
  name: string;
  words: string;
  recency_days: number;
  frequency: number;
  monetary: number;
  customers?: number; // Of the newest version only.
  share?: number;
}

// The figures are there once the 90 days are over that it is judged by.
export interface Churn {
  nbd_r: number;
  nbd_alpha_days: number;
  intercept: number;
  coefficients: number[];
  auc?: number;
  brier?: number;
  calibration_error?: number;
  gone_share?: number;
  judged_customers?: number;
}

export interface ModelVersion {
  number: number;
  at: string;
  what: string;
  customers: number;
  clusters?: Cluster[];
  inertia?: number | null; // A customer.
  silhouette?: number | null;
  drift?: number | null;
  cuts: { quantity: string; unit: string; cuts: number[] }[];
  churn?: Churn;
}

export interface Model extends Envelope {
  total: number;
  versions: ModelVersion[];
}

export interface ClusterCount {
  k: number;
  inertia: number | null;
  silhouette: number | null; // Simplified: against centroids.
  silhouette_exact: number | null; // On the sample.
  calinski_harabasz: number | null;
  davies_bouldin: number | null;
  stability: number | null; // Of refits.
}

export interface ClusterCounts extends Envelope {
  customers: number; // Of the sample.
  k: ClusterCount[];
  axes: Record<string, { k: number; inertia: number | null }[]>;
  words: string;
}

export interface DryRun extends Envelope {
  moves: { segmentation: string; from: string; to: string; customers: number; monetary: number }[];
  samples: { customer_id: string; segmentation: string; from: string; to: string }[];
  customers: number;
  customers_moved: number;
  differences: { key: string; before: string; after: string }[];
  transitions_per_day: { now: number; then: number; days: number; sampled: number };
}

export interface Score extends Envelope {
  segments: {
    segmentation: string;
    segment: string;
    description: string;
    action: string;
    scores?: Record<string, number>;
    cuts?: Record<string, number[]>;
    distances?: Record<string, number>;
  }[];
  churn_risk?: number;
  value?: number; // At risk within the horizon.
  if_silent: { segmentation: string; segment: string; at: string }[];
  medians?: { recency_days: number; frequency: number; monetary: number };
}

export interface PipelinePartition {
  id: number;
  lag: number;
  held: number;
  lag_seconds: number;
  event_time: string | null;
  watermark: string | null;
  crossing: boolean;
  customers: number;
  bytes: number;
}

export interface Pipeline {
  phase: string;
  stored: boolean; // A stored state: nothing is read.
  caught_up: boolean;
  as_of: string | null;
  records: number;
  lag: number;
  partitions_held: number;
  partitions_total: number;
  partitions: PipelinePartition[];
  outcomes: Record<string, number>;
  ignored: { reason: string; records: number }[];
  dead_letters: { reason: string; records: number; sample?: string }[];
  commits: Record<string, unknown>;
  memory: Record<string, unknown>;
  model_version: number;
  obstacles: { reason: string; detail: string }[];
}
