// Sales by country, segment, customer and product.
import { there, useAddress } from "../address";
import type { Sales } from "../answers";
import { type Draw, topLabels } from "../chart";
import { Figure } from "../figure";
import { count, money, percent, percentOf, plural, short } from "../format";
import { moneyWords, useScene } from "../scene";
import { inkOn, memberWords, shade } from "../segments";
import { kAmounts, kSums, NoSales, type Part } from "./sales_parts";

const kBarsMax = 15;

export function CountriesFigure({ answer, data, net }: Part & { net: number }) {
  const address = useAddress();
  const { span, currency } = useScene();
  const rows = [...data.countries]
    .sort((a, b) => b.net - a.net)
    .map((one) => ({ ...one, share: net ? one.net / net : 0 }));
  const shown = rows.slice(0, kBarsMax);
  return (
    <Figure
      id="countries"
      title={
        rows[0]
          ? `${rows[0].country || "(no country)"}: ${percent(rows[0].share)} of ${money(net, currency)} net from ${plural(rows.length, "country", "countries")}`
          : "Sales by country"
      }
      unit={`${currency || "Money"}, by the invoice's country`}
      answer={answer}
      span={span.words}
      columns={[
        {
          key: "country",
          label: "Country",
          link: (row) => there(address, "customers", { country: row.country }),
        },
        { key: "share", label: `Share of ${money(net, currency)} net`, kind: "percent" },
        ...kSums,
      ]}
      rows={rows}
      empty={<NoSales />}
      height={60 + 26 * shown.length}
      onPick={(picked) => {
        location.hash = there(address, "customers", { country: picked.name });
      }}
      draw={drawBars(
        shown.map((one) => ({ name: one.country, value: one.net })),
        currency,
        (value) => percent(net ? value / net : 0),
      )}
      note={
        rows.length > shown.length
          ? `The ${shown.length} largest are drawn; the table has all ${rows.length}.`
          : undefined
      }
    />
  );
}

function drawBars(
  bars: { name: string; value: number }[],
  currency: string,
  label: (value: number) => string,
): Draw {
  return (look) => ({
    grid: { left: 8, right: 56, top: 8, bottom: 8, containLabel: true },
    tooltip: {
      trigger: "axis",
      axisPointer: { type: "shadow" },
      valueFormatter: (value: unknown) => money(value as number, currency),
    },
    xAxis: { type: "value", axisLabel: { formatter: short } },
    yAxis: {
      type: "category",
      inverse: true,
      data: bars.map((one) => one.name),
      axisLabel: { color: look.text, width: 260, overflow: "truncate" },
    },
    series: [
      {
        name: "Net",
        type: "bar",
        color: look.accent,
        data: bars.map((one) => one.value),
        label: {
          show: true,
          position: "right",
          color: look.muted,
          formatter: (one: { value: unknown }) => label(one.value as number),
        },
      },
    ],
  });
}

export function SegmentsFigure({ answer, data }: Part) {
  const { currency, order } = useScene();
  const countries = new Map<string, number>();
  for (const one of data.segments)
    countries.set(one.country, (countries.get(one.country) ?? 0) + one.monetary);
  const ranked = [...countries].sort((a, b) => b[1] - a[1]).map(([name]) => name);
  const columns = ranked.slice(0, 8);
  const names = [...new Set(data.segments.map((one) => one.segment))].sort(order);
  const rows = [...data.segments].sort(
    (a, b) => order(a.segment, b.segment) || ranked.indexOf(a.country) - ranked.indexOf(b.country),
  );
  const cells = rows.filter((one) => columns.includes(one.country));
  const customers = data.segments.reduce((sum, one) => sum + one.customers, 0);
  const largest = [...rows].sort((a, b) => b.monetary - a.monetary)[0];
  const most = Math.max(1, ...cells.map((one) => one.customers));
  return (
    <Figure
      id="segments"
      title={
        largest
          ? `${largest.segment}, ${largest.country}: worth most, ${money(largest.monetary, currency)} with ${percentOf(largest.customers, customers, "customers")}`
          : "Segments by country"
      }
      unit={`Customers; ${moneyWords(data)}`}
      answer={answer}
      columns={[
        { key: "segment", label: "Segment", words: memberWords },
        { key: "country", label: "Country" },
        { key: "customers", label: "Customers", kind: "count" },
        { key: "monetary", label: "Money", kind: "money" },
      ]}
      rows={rows}
      empty={<p>No customer is in a segment yet.</p>}
      height={60 + 34 * names.length}
      draw={(look) => ({
        grid: { left: 8, right: 16, top: 8, bottom: 8, containLabel: true },
        tooltip: { formatter: (one: { data: { words: string } }) => one.data.words },
        xAxis: {
          type: "category",
          position: "top",
          data: columns,
          axisLabel: topLabels(look, columns.length),
        },
        yAxis: {
          type: "category",
          inverse: true,
          data: names,
          axisLabel: { color: look.text, formatter: memberWords },
        },
        series: [
          {
            type: "heatmap",
            data: cells.map((one) => {
              const colour = shade(
                look.dark ? "#222a35" : "#eef3fa",
                look.accent,
                Math.sqrt(one.customers / most),
              );
              return {
                value: [columns.indexOf(one.country), names.indexOf(one.segment), one.customers],
                words: `${one.segment}, ${one.country}: ${plural(one.customers, "customer")}, ${money(one.monetary, currency)}`,
                itemStyle: { color: colour, borderColor: look.surface, borderWidth: 2 },
                label: { color: inkOn(colour) },
              };
            }),
            label: { show: true, formatter: (one: { value: number[] }) => count(one.value[2]) },
          },
        ],
      })}
      note={
        ranked.length > columns.length
          ? `The ${columns.length} countries that are worth most are drawn; the table has all ${ranked.length}.`
          : undefined
      }
    />
  );
}

// The share of money at exactly `share` of customers, between the two points around it.
function revenueAt(points: Sales["concentration"], share: number): number {
  let before = { customers_share: 0, revenue_share: 0 };
  for (const point of points) {
    if (point.customers_share >= share) {
      const width = point.customers_share - before.customers_share;
      const part = width > 0 ? (share - before.customers_share) / width : 1;
      return before.revenue_share + part * (point.revenue_share - before.revenue_share);
    }
    before = point;
  }
  return 1;
}

export function ConcentrationFigure({ answer, data }: Part) {
  const points = data.concentration;
  return (
    <Figure
      id="concentration"
      title={
        points.length > 0
          ? `The best 20 % of customers bring ${percent(revenueAt(points, 0.2))} of the money`
          : "What the best customers bring"
      }
      unit={`Share of money by share of customers, the best first; ${moneyWords(data)}`}
      answer={answer}
      columns={[
        { key: "customers_share", label: "Share of customers", kind: "percent" },
        { key: "revenue_share", label: "Share of money", kind: "percent" },
      ]}
      rows={points}
      empty={<p>No customer has spent anything yet.</p>}
      draw={(look) => ({
        tooltip: { trigger: "axis", valueFormatter: (value: unknown) => percent(value as number) },
        grid: { left: 8, right: 24, top: 16, bottom: 36, containLabel: true },
        xAxis: {
          type: "value",
          max: 1,
          name: "share of customers",
          nameLocation: "middle",
          nameGap: 28,
          axisLabel: { formatter: (value: number) => percent(value) },
        },
        yAxis: {
          type: "value",
          min: 0,
          max: 1,
          axisLabel: { formatter: (value: number) => percent(value) },
        },
        series: [
          {
            name: "Share of money",
            type: "line",
            symbol: "none",
            color: look.accent,
            lineStyle: { width: 2 },
            data: [[0, 0], ...points.map((one) => [one.customers_share, one.revenue_share])],
            markLine: {
              symbol: "none",
              silent: true,
              label: { formatter: "20 %", color: look.text },
              lineStyle: { color: look.muted, type: "dashed" },
              data: [{ xAxis: 0.2 }],
            },
          },
        ],
      })}
    />
  );
}

export function ProductsFigure({ answer, data, net }: Part & { net: number }) {
  const { span, currency } = useScene();
  const rows = [...data.products].sort((a, b) => b.net - a.net);
  const shown = rows.slice(0, kBarsMax);
  const name = (one: (typeof rows)[0]) => one.description || one.stock_code || "(no product)";
  return (
    <Figure
      id="products"
      title={
        rows[0]
          ? `${name(rows[0])}: sells most, ${money(rows[0].net, currency)} net, ${percent(net ? rows[0].net / net : 0)} of all`
          : "Sales by product"
      }
      unit={`${currency || "Money"}, the ${rows.length} largest products`}
      answer={answer}
      span={`${span.words}, whole months`}
      columns={[
        { key: "stock_code", label: "Product" },
        { key: "description", label: "Description" },
        ...kAmounts,
        { key: "units", label: "Units", kind: "count" },
      ]}
      rows={rows}
      empty={<NoSales />}
      height={60 + 26 * shown.length}
      draw={drawBars(
        shown.map((one) => ({ name: name(one), value: one.net })),
        currency,
        (value) => money(value, currency),
      )}
      note={`${money(data.unallocated.net, currency)} is of no product: invoices with a total instead of lines, and returns that name none.`}
    />
  );
}
