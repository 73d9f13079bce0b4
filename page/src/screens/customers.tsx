import { here, numberOf, there, useAddress } from "../address";
import type { Customers } from "../answers";
import { Beyond, Choose, Figure, kListedMax, Pages, Waiting } from "../figure";
import { count, plural } from "../format";
import { moneyWords, useScene } from "../scene";
import { memberWords } from "../segments";
import { kCountSeconds, pathOf, useAnswer } from "../service";
import type { Column } from "../table";

const kSize = 50;

// Columns of customers, wherever they are listed.
export function customerColumns(
  address: ReturnType<typeof useAddress>,
  segmentations: string[],
): Column[] {
  return [
    {
      key: "customer_id",
      label: "Customer",
      link: (row) => there(address, "c", {}, row.customer_id),
    },
    { key: "country", label: "Country" },
    { key: "recency_days", label: "Silent", kind: "days" },
    { key: "frequency", label: "Orders", kind: "count" },
    { key: "monetary", label: "Money", kind: "money" },
    { key: "aov", label: "Money an order", kind: "money" },
    { key: "churn_risk", label: "Churn risk", kind: "percent" },
    { key: "value_at_risk", label: "Value at risk", kind: "money" },
    ...segmentations.map((name) => ({ key: `segment_${name}`, label: name })),
  ];
}

export function customerRows(customers: Customers["customers"]): Record<string, unknown>[] {
  return customers.map((one) => ({
    ...one,
    value_at_risk: typeof one.churn_risk === "number" ? one.value_at_risk : null, // Else unknown.
    ...Object.fromEntries(
      Object.entries(one.segments).map(([name, segment]) => [`segment_${name}`, segment]),
    ),
  }));
}

export function CustomersScreen() {
  const address = useAddress();
  const { segmentation, segmentations, catalogue, order } = useScene();
  const segment = address.params.get("segment") ?? "";
  const country = address.params.get("country") ?? "";
  const sort = address.params.get("sort") ?? "monetary";
  const page = numberOf(address, "page", 1);
  const isBeyond = page * kSize > kListedMax;
  const answer = useAnswer<Customers>(
    isBeyond
      ? null
      : pathOf("/customers", { segmentation, segment, country, sort, page: page - 1, size: kSize }),
    kCountSeconds,
  );
  if (isBeyond) return <Beyond table="customers" />;
  if (!answer.data) return <Waiting answer={answer} />;
  const data = answer.data;
  const names = (catalogue.data?.segments ?? []).map((one) => one.name).sort(order);
  const shown = catalogue.data?.segments.find((one) => one.name === segment);
  return (
    <>
      {shown && (
        <p class="lead">
          <strong>{shown.name}</strong>: {shown.description}
          {shown.action && ` What to do: ${shown.action}.`}
        </p>
      )}
      <div class="tools">
        <Choose
          label="Segment"
          name="segment"
          options={[
            ["", "all"],
            ...names.map((name): [string, string] => [name, memberWords(name)]),
          ]}
        />
        <Choose
          label="Sorted by"
          name="sort"
          options={[
            ["monetary", "money"],
            ["value_at_risk", "value at risk"],
            ["churn_risk", "churn risk"],
            ["frequency", "orders"],
            ["recency", "silence"],
          ]}
        />
      </div>
      <Figure
        id="customers"
        title={`${plural(data.total, "customer")}${segment ? ` in ${segment}` : ""}${country ? `, ${country}` : ""}`}
        unit={`One row a customer; ${moneyWords(data)}`}
        answer={answer}
        columns={customerColumns(address, segmentations)}
        rows={customerRows(data.customers)}
        empty={
          page > 1 ? (
            <p>
              There is no page {page}. <a href={here(address, { page: null })}>To the first page</a>
            </p>
          ) : (
            <p>No customer is in {segment || "any segment"} now. Choose another segment above.</p>
          )
        }
        wholeTable
        note={`The CSV holds this page; rfmstream export customers writes all of them. At most ${count(kListedMax)} are listed here.`}
      />
      <Pages total={data.total} size={kSize} />
    </>
  );
}
