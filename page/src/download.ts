// What a figure gives away: its rows as CSV, its drawing as PNG.
import type { EChartsType } from "echarts/core";
import { kFont } from "./chart";
import type { Column, Row } from "./table";
import { look } from "./theme";

function save(name: string, content: Blob): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  window.setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

// RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe.
function field(value: unknown): string {
  if (value === null || value === undefined) return "";
  let text = String(value);
  if (typeof value === "string" && /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text))) {
    text = `'${text}`;
  }
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

// Money as the service counts it; sums made here bear binary fractions beyond that.
function exact(column: Column, value: unknown): unknown {
  if (typeof value !== "number" || Number.isInteger(value)) return value;
  return column.kind === "money" ? value.toFixed(4) : Number(value.toPrecision(12));
}

export function csvOf(columns: Column[], rows: Row[]): string {
  const lines = [columns.map((column) => field(column.key))];
  for (const row of rows) {
    lines.push(columns.map((column) => field(exact(column, row[column.key]))));
  }
  return lines.map((line) => `${line.join(",")}\r\n`).join("");
}

const kByteOrderMark = "\ufeff"; // Without it Excel does not take a file for UTF-8.

export function saveCsv(name: string, columns: Column[], rows: Row[]): void {
  save(`${name}.csv`, new Blob([kByteOrderMark, csvOf(columns, rows)], { type: "text/csv" }));
}

// The drawing with its title, unit and as-of, which a picture loses otherwise.
export function savePng(name: string, chart: EChartsType, title: string, line: string): void {
  const style = look();
  const source = chart.renderToCanvas({ pixelRatio: 2, backgroundColor: style.surface });
  const canvas = document.createElement("canvas");
  const margin = 32;
  const context = canvas.getContext("2d");
  if (!context) return;
  const width = source.width + 2 * margin;
  const titleFont = `600 32px ${kFont}`;
  context.font = titleFont;
  const titleLines = wrapped(context, title, width - 2 * margin);
  const lineFont = `24px ${kFont}`;
  context.font = lineFont;
  const lines = wrapped(context, line, width - 2 * margin);
  const lineTop = margin + titleLines.length * 42 + 28;
  const head = lineTop + (lines.length - 1) * 32 + 12;
  canvas.width = width;
  canvas.height = head + source.height + margin;
  context.fillStyle = style.surface;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = style.text;
  context.font = titleFont;
  titleLines.forEach((text, index) => context.fillText(text, margin, margin + 32 + index * 42));
  context.fillStyle = style.muted;
  context.font = lineFont;
  lines.forEach((text, index) => context.fillText(text, margin, lineTop + index * 32));
  context.drawImage(source, margin, head);
  canvas.toBlob((content) => {
    if (content) save(`${name}.png`, content);
  }, "image/png");
}

function wrapped(context: CanvasRenderingContext2D, text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line ? `${line} ${word}` : word;
    if (line && context.measureText(longer).width > width) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return line ? [...lines, line] : lines;
}
