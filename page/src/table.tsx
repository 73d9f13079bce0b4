// A real table of what a chart draws, or of what has no chart.
import { useState } from "preact/hooks";
import { type Kind, shown } from "./format";

export type Value = string | number | boolean | null | undefined;
export type Row = Record<string, any>;

export interface Column {
  key: string;
  label: string;
  kind?: Kind;
  link?: (row: Row) => string | null;
}

const kRowsShown = 20;

function isNumber(kind: Kind | undefined): boolean {
  return kind !== undefined && !["text", "date", "time"].includes(kind);
}

export function DataTable(props: {
  caption: string;
  columns: Column[];
  rows: Row[];
  currency: string;
  whole?: boolean; // All rows at once, for tables that come by page anyway.
}) {
  const [whole, setWhole] = useState(false);
  const rows = whole || props.whole ? props.rows : props.rows.slice(0, kRowsShown);
  const left = props.rows.length - rows.length;
  return (
    <div class="table" role="region" tabIndex={0} aria-label={props.caption}>
      <table>
        <caption class="unseen">{props.caption}</caption>
        <thead>
          <tr>
            {props.columns.map((column) => (
              <th key={column.key} scope="col" class={isNumber(column.kind) ? "number" : undefined}>
                {column.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {props.columns.map((column, place) => {
                const text = shown(row[column.key], column.kind ?? "text", props.currency);
                const href = column.link?.(row);
                const content = href ? <a href={href}>{text}</a> : text;
                return place === 0 ? (
                  <th
                    key={column.key}
                    scope="row"
                    class={isNumber(column.kind) ? "number" : undefined}
                  >
                    {content}
                  </th>
                ) : (
                  <td key={column.key} class={isNumber(column.kind) ? "number" : undefined}>
                    {content}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {left > 0 && (
        <button type="button" class="quiet" onClick={() => setWhole(true)}>
          Show the other {left} rows
        </button>
      )}
    </div>
  );
}
