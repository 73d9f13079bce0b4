// Sales by month, by day, and by weekday and hour.
import type { Sales, Sum } from "../answers";
import type { Draw } from "../chart";
import { Figure } from "../figure";
import { kWeekdays, money, plural, short } from "../format";
import { useScene } from "../scene";
import { inkOn, shade } from "../segments";
import type { Look } from "../theme";
import { kAmounts, kSums, NoSales, type Part, returned } from "./sales_parts";

export function MonthsFigure({ answer, data }: Part) {
  const { span, currency, today } = useScene();
  const best = [...data.months].sort((a, b) => b.net - a.net)[0];
  const open = data.months.some((one) => one.month === today.slice(0, 7));
  return (
    <Figure
      id="months"
      title={
        best ? `${best.month}: the best month, ${money(best.net, currency)} net` : "Sales by month"
      }
      unit={currency || "Money"}
      answer={answer}
      span={span.words}
      columns={[
        { key: "month", label: "Month" },
        ...kSums,
        { key: "units", label: "Units", kind: "count" },
      ]}
      rows={data.months}
      empty={<NoSales />}
      draw={(look) => ({
        ...drawSums(
          data.months.map((one) => one.month),
          data.months,
          look,
          currency,
        ),
      })}
      note={open ? `${today.slice(0, 7)} is not over, and its figures may change.` : undefined}
    />
  );
}

function drawSums(names: string[], sums: Sum[], look: Look, currency: string) {
  return {
    legend: {},
    tooltip: {
      trigger: "axis",
      valueFormatter: (value: unknown) => money(value as number, currency),
    },
    xAxis: { type: "category", data: names },
    yAxis: { type: "value", axisLabel: { formatter: short } },
    series: [
      {
        name: "Sold",
        type: "bar",
        stack: "all",
        color: look.accent,
        data: sums.map((one) => one.gross),
      },
      { name: "Returned", type: "bar", stack: "all", color: look.bad, data: sums.map(returned) },
      {
        name: "Net",
        type: "line",
        color: look.text,
        symbolSize: 6,
        data: sums.map((one) => one.net),
      },
    ],
  };
}

export function DaysFigure({ answer, data }: Part) {
  const { span, currency } = useScene();
  const mean = data.days.reduce((sum, one) => sum + one.net, 0) / data.days.length;
  return (
    <Figure
      id="days"
      title={
        data.days.length > 0
          ? `${money(mean, currency)} net on a day with sales, on average over ${plural(data.days.length, "day")}`
          : "Sales by day"
      }
      unit={currency || "Money"}
      answer={answer}
      span={span.words}
      columns={[
        { key: "date", label: "Day", kind: "date" },
        ...kSums,
        { key: "customers", label: "Customers", kind: "count" },
      ]}
      rows={data.days}
      empty={<NoSales />}
      height={240}
      draw={(look) => ({
        tooltip: {
          trigger: "axis",
          valueFormatter: (value: unknown) => money(value as number, currency),
        },
        xAxis: { type: "time" },
        yAxis: { type: "value", axisLabel: { formatter: short } },
        grid: { left: 8, right: 16, top: 12, bottom: 8, containLabel: true },
        series: [
          {
            name: "Net",
            type: "bar", // A line would cross days without sales.
            barMinWidth: 1,
            color: look.accent,
            data: data.days.map((one) => [one.date, one.net]),
          },
        ],
      })}
    />
  );
}

export function HoursFigure({ answer, data }: Part) {
  const { span, currency } = useScene();
  const best = [...data.hours].sort((a, b) => b.net - a.net)[0];
  const byDay = new Map<number, number>();
  for (const one of data.hours) byDay.set(one.weekday, (byDay.get(one.weekday) ?? 0) + one.net);
  const silent = kWeekdays.filter((_, index) => !byDay.get(index + 1));
  const rows = data.hours.map((one) => ({
    ...one,
    day: kWeekdays[one.weekday - 1],
    at: `${one.hour}:00`,
  }));
  return (
    <Figure
      id="hours"
      title={
        best
          ? `${kWeekdays[best.weekday - 1]} from ${best.hour}:00: the best hour of the week, ${money(best.net, currency)}${silent.length ? `; nothing on ${silent.join(", ")}` : ""}`
          : "Sales by weekday and hour"
      }
      unit={`Net, ${currency || "money"}; weekdays and hours in UTC`}
      answer={answer}
      span={`${span.words}, whole months`}
      columns={[
        { key: "day", label: "Weekday" },
        { key: "at", label: "From" },
        ...kAmounts,
        {
          key: "invoices_and_unnamed_sales",
          label: "Invoices, and sales without customer by record",
          kind: "count",
        },
      ]}
      rows={rows}
      empty={<NoSales />}
      height={320}
      draw={drawHours(data, currency)}
    />
  );
}

function drawHours(data: Sales, currency: string): Draw {
  const hours = data.hours.map((one) => one.hour);
  const first = Math.min(...hours);
  const last = Math.max(...hours);
  const columns = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  const most = Math.max(1, ...data.hours.map((one) => one.net));
  return (look) => ({
    grid: { left: 8, right: 16, top: 8, bottom: 8, containLabel: true },
    tooltip: {
      formatter: (one: { data: { words: string } }) => one.data.words,
    },
    xAxis: { type: "category", data: columns.map((hour) => `${hour}:00`) },
    yAxis: { type: "category", inverse: true, data: kWeekdays, axisLabel: { color: look.text } },
    series: [
      {
        type: "heatmap",
        data: data.hours.map((one) => {
          const colour = shade(
            look.dark ? "#222a35" : "#eef3fa",
            look.accent,
            Math.sqrt(Math.max(0, one.net) / most),
          );
          return {
            value: [one.hour - first, one.weekday - 1, one.net],
            words: `${kWeekdays[one.weekday - 1]} ${one.hour}:00: ${money(one.net, currency)}`,
            itemStyle: { color: colour, borderColor: look.surface, borderWidth: 2 },
            label: { color: inkOn(colour) },
          };
        }),
        label: {
          show: columns.length <= 16,
          formatter: (one: { value: number[] }) => short(one.value[2]),
        },
      },
    ],
  });
}
