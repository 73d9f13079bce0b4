import { there, useAddress } from "../address";
import type { Risk } from "../answers";
import { Figure, Waiting } from "../figure";
import { count, decimal, kNothing, money, percent, percentOf, plural, short } from "../format";
import { moneyWords, useScene } from "../scene";
import { colourOf, isNobody } from "../segments";
import { kCountSeconds, pathOf, useAnswer } from "../service";
import { customerColumns, customerRows } from "./customers";

export function RiskScreen() {
  const address = useAddress();
  const { currency, segmentations } = useScene();
  const banded = segmentations.includes("churn") ? "churn" : undefined;
  const answer = useAnswer<Risk>(pathOf("/risk", { segmentation: banded }), kCountSeconds);
  if (!answer.data) return <Waiting answer={answer} />;
  const data = answer.data;
  const horizon = plural(data.horizon_days, "day");
  const customers = data.histogram.reduce((sum, one) => sum + one.customers, 0);
  const likely = data.histogram
    .filter((one) => one.from >= 0.5)
    .reduce((sum, one) => sum + one.customers, 0);
  const bins = data.histogram.map((one) => ({
    ...one,
    name: `${Math.round(100 * one.from)} to ${Math.round(100 * one.to)} %`,
  }));
  const bands = customers
    ? data.bands.filter((one) => one.customers > 0 && !isNobody(one.segment))
    : [];
  const top = customers ? data.top : [];
  const worst = [...bands].sort((a, b) => b.value_at_risk - a.value_at_risk)[0];
  const off = data.calibration.reduce(
    (sum, one) => sum + one.customers * Math.abs(one.observed - one.risk),
    0,
  );
  const judged = data.calibration.reduce((sum, one) => sum + one.customers, 0);
  const noModel = (
    <p>
      There are no churn risks yet. They come with the first churn model: 500 customers and two
      weekly samples are needed; <a href={there(address, "models")}>Models</a> shows what there is.
    </p>
  );

  return (
    <>
      <dl class="numbers">
        <div>
          <dt>Value at risk in the next {horizon}</dt>
          <dd>{customers ? money(data.value_at_risk, currency) : kNothing}</dd>
        </div>
        <div>
          <dt>Customers who bought, and so have a risk</dt>
          <dd>{count(customers || null)}</dd>
        </div>
        <div>
          <dt>More likely silent than not</dt>
          <dd>{percentOf(likely, customers, "")}</dd>
        </div>
      </dl>
      <Figure
        id="histogram"
        title={
          customers
            ? `${percentOf(likely, customers, "customers who bought")} are more likely silent for ${horizon} than not`
            : "Customers by risk"
        }
        unit={`Customers and value at risk by the risk of no purchase within ${horizon}`}
        answer={answer}
        columns={[
          { key: "name", label: "Risk" },
          { key: "customers", label: "Customers", kind: "count" },
          { key: "value_at_risk", label: "Value at risk", kind: "money" },
        ]}
        rows={customers ? bins : []}
        empty={noModel}
        draw={(look) => ({
          legend: {},
          grid: { left: 8, right: 8, top: 60, bottom: 8, containLabel: true },
          tooltip: { trigger: "axis", axisPointer: { type: "shadow" } },
          xAxis: {
            type: "category",
            data: bins.map((one) => one.name),
            axisLabel: { hideOverlap: true },
          },
          yAxis: [
            { type: "value", minInterval: 1, name: "customers", axisLabel: { formatter: short } },
            {
              type: "value",
              name: currency || "money",
              splitLine: { show: false },
              axisLabel: { formatter: short },
            },
          ],
          series: [
            {
              name: "Customers",
              type: "bar",
              color: look.accent,
              data: bins.map((one) => one.customers),
            },
            {
              name: "Value at risk",
              type: "line",
              yAxisIndex: 1,
              color: look.bad,
              symbolSize: 6,
              data: bins.map((one) => one.value_at_risk),
              tooltip: { valueFormatter: (value: unknown) => money(value as number, currency) },
            },
          ],
        })}
        note="Value at risk: a customer's risk × the net spend of the last year × 90/365. Not the lifetime's spend."
      />
      <Figure
        id="bands"
        title={
          worst
            ? `${worst.segment} risk: ${percent(data.value_at_risk ? worst.value_at_risk / data.value_at_risk : 0)} of ${money(data.value_at_risk, currency)} at risk`
            : "Value at risk by band"
        }
        unit={moneyWords(data)}
        answer={answer}
        columns={[
          {
            key: "segment",
            label: "Band",
            link: (row) =>
              there(address, "customers", {
                seg: banded,
                segment: row.segment,
                sort: "value_at_risk",
              }),
          },
          { key: "customers", label: "Customers", kind: "count" },
          { key: "value_at_risk", label: "Value at risk", kind: "money" },
        ]}
        rows={bands}
        empty={noModel}
        height={60 + 40 * bands.length}
        onPick={(picked) => {
          location.hash = there(address, "customers", {
            seg: banded,
            segment: picked.name,
            sort: "value_at_risk",
          });
        }}
        draw={(look) => ({
          grid: { left: 8, right: 80, top: 8, bottom: 8, containLabel: true },
          tooltip: {
            trigger: "axis",
            axisPointer: { type: "shadow" },
            valueFormatter: (value: unknown) => money(value as number, currency),
          },
          xAxis: { type: "value", axisLabel: { formatter: short } },
          yAxis: {
            type: "category",
            inverse: true,
            data: bands.map((one) => one.segment),
            axisLabel: { color: look.text },
          },
          series: [
            {
              name: "Value at risk",
              type: "bar",
              data: bands.map((one) => ({
                value: one.value_at_risk,
                itemStyle: { color: colourOf(one.segment) },
              })),
              label: {
                show: true,
                position: "right",
                color: look.text,
                formatter: (one: { value: unknown }) => money(one.value as number, currency),
              },
            },
          ],
        })}
      />
      <Figure
        id="calibration"
        title={
          judged
            ? `Forecasts are off by ${decimal((100 * off) / judged)} percentage points on average`
            : "Forecast and what came true"
        }
        unit={`Share of customers without a purchase in ${horizon}`}
        answer={answer}
        columns={[
          { key: "risk", label: "Forecast", kind: "percent" },
          { key: "observed", label: "Came true", kind: "percent" },
          { key: "customers", label: "Customers", kind: "count" },
        ]}
        rows={data.calibration}
        empty={
          <p>
            The service holds no forecast that is old enough to be judged: that takes {horizon} after
            the first churn model. <code>rfmstream evaluate churn</code> judges the model over a
            history.
          </p>
        }
        draw={(look) => ({
          legend: {},
          grid: { left: 8, right: 24, top: 40, bottom: 36, containLabel: true },
          tooltip: {
            trigger: "item",
            valueFormatter: (value: unknown) => percent(value as number),
          },
          xAxis: {
            type: "value",
            min: 0,
            max: 1,
            name: "forecast",
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
              name: "Came true",
              type: "line",
              color: look.accent,
              symbol: "circle",
              symbolSize: 10,
              data: data.calibration.map((one) => [one.risk, one.observed]),
              tooltip: {
                formatter: (one: { value: [number, number]; dataIndex: number }) =>
                  `forecast ${percent(one.value[0])}, came true ${percentOf(data.calibration[one.dataIndex].observed * data.calibration[one.dataIndex].customers, data.calibration[one.dataIndex].customers, "customers")}`,
              },
            },
            {
              name: "As forecast",
              type: "line",
              color: look.muted,
              symbol: "none",
              lineStyle: { type: "dashed" },
              data: [
                [0, 0],
                [1, 1],
              ],
            },
          ],
        })}
      />
      <Figure
        id="top"
        title={
          top[0]
            ? `${top[0].customer_id}: most at risk, ${money(top[0].value_at_risk, currency)}; ${plural(top.length, "customer")} listed`
            : "Customers with most at risk"
        }
        unit={moneyWords(data)}
        answer={answer}
        columns={customerColumns(address, segmentations)}
        rows={customerRows(top)}
        empty={noModel}
        note={
          <a href={there(address, "customers", { sort: "value_at_risk" })}>
            All customers by value at risk
          </a>
        }
      />
    </>
  );
}
