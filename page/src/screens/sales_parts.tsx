// What the figures on sales share.
import type { Sales } from "../answers";
import type { FigureProps } from "../figure";
import type { Column } from "../table";

export interface Part {
  answer: FigureProps["answer"];
  data: Sales;
}

export const kAmounts: Column[] = [
  { key: "gross", label: "Sold", kind: "money" },
  { key: "credits", label: "Returned", kind: "money" },
  { key: "net", label: "Net", kind: "money" },
];

// What has no customer is counted by record: nothing says which of them are one invoice.
export const kSums: Column[] = [
  ...kAmounts,
  { key: "invoices", label: "Invoices of customers", kind: "count" },
  { key: "unnamed_records", label: "Records without customer", kind: "count" },
];

export function NoSales() {
  return <p>Nothing was sold in these dates. Choose longer ones, or “all there is”.</p>;
}

// Returns are positive or negative in an answer; here always what was taken off.
export function returned(sum: { credits: number }): number {
  return -Math.abs(sum.credits);
}
