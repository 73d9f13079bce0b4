// What the service answers, as docs/openapi.json describes it.

export interface Envelope {
  as_of?: string;
  partitions?: { held: number; total: number };
  currency?: string;
  monetary?: unknown; // "net" or "gross"; in /customers/{id} his money.
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

export interface Transitions extends Envelope {
  segmentation: string;
  flows: Flow[];
  days: { date: string; moves: number; actionable: number }[];
  net: { from: string; to: string; customers: number }[];
  came_back: number;
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
  unit: string;
  cuts: number[];
}

export interface Grid extends Envelope {
  segmentation: string;
  axes: Axis[];
  cells: {
    scores: Record<string, number> | number[];
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
  history: Move[];
}

export interface Sum {
  gross: number;
  credits: number;
  net: number;
  invoices: number;
  units?: number;
  customers?: number;
}

export interface Sales extends Envelope {
  days: (Sum & { date: string })[];
  countries: (Sum & { country: string })[];
  months: (Sum & { month: string })[];
  hours: (Sum & { weekday: number; hour: number })[];
  products: {
    stock_code: string;
    description: string;
    gross: number;
    credits: number;
    net: number;
    units: number;
  }[];
  unnamed: Sum;
  unallocated: number | Partial<Sum> | null;
  segments: { segment: string; country: string; customers: number; monetary: number }[];
  concentration: { customers_share: number; revenue_share: number }[];
}

export interface Retention extends Envelope {
  cohorts: {
    month: string;
    customers: number;
    months: { month: string; buyers: number; revenue: number; complete: boolean }[];
  }[];
  lost: { month: string; lost: number; regained: number }[];
  spends_less: { customer_id: string; frequency: number; aov: number; aov_before: number }[];
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
  customers: number;
  share: number;
}

export interface ModelVersion {
  number: number;
  at: string;
  what: string;
  clusters: Cluster[];
  inertia: number | null;
  silhouette: number | null;
  drift: number | null;
  cuts: unknown;
  churn: Record<string, unknown> | null;
}

export interface Model extends Envelope {
  versions: ModelVersion[];
}

export interface Score extends Envelope {
  segments: {
    segmentation: string;
    segment: string;
    description: string;
    action: string;
    scores: Record<string, number> | null;
    cuts: Record<string, number[]> | null;
    distances: Record<string, number> | { name: string; distance: number }[] | null;
  }[];
  churn_risk: number | null;
  value: number | null;
  if_silent: { segmentation: string; segment: string; at: string }[];
  medians: { recency_days: number; frequency: number; monetary: number };
}

export interface Pipeline extends Envelope {
  phase?: string;
  obstacles?: unknown[];
  outcomes?: Record<string, number>;
  dead_letters?: { reason: string; records: number; sample?: string }[];
  commits?: Record<string, unknown>;
  memory?: Record<string, unknown>;
}
