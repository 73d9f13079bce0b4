// One ECharts drawing: follows its box, the theme and its data.
import type { EChartsCoreOption, EChartsType } from "echarts/core";
import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { type Look, look, onTheme } from "./theme";

export type Option = EChartsCoreOption;
// The colours to draw in, and the width of the box in pixels.
export interface Canvas extends Look {
  width: number;
}
export type Draw = (look: Canvas) => Option;

const engine = import("./engine");

export const kFont = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';

function withDefaults(option: Option, style: Look, label: string): Option {
  const axis = (given: unknown) => {
    if (given === undefined) return undefined;
    const list = Array.isArray(given) ? given : [given];
    return list.map((one) => ({
      ...one,
      nameTextStyle: { color: style.muted, ...one.nameTextStyle },
      axisLine: { lineStyle: { color: style.line }, ...one.axisLine },
      axisTick: { show: false, ...one.axisTick },
      axisLabel: { color: style.muted, fontSize: 12, hideOverlap: true, ...one.axisLabel },
      splitLine: {
        show: one.type === "value",
        ...one.splitLine,
        lineStyle: { color: style.line, ...one.splitLine?.lineStyle },
      },
    }));
  };
  const { xAxis, yAxis, tooltip, legend, ...rest } = option as Record<string, any>;
  return {
    backgroundColor: "transparent",
    animation: false,
    textStyle: { color: style.text, fontFamily: kFont },
    aria: {
      enabled: true,
      label: { enabled: true, description: label },
      decal: {
        show: true,
        decals: kDecals.map((one) => ({ ...one, color: style.dark ? "#00000040" : "#ffffff55" })),
      },
    },
    grid: { left: 8, right: 16, top: 34, bottom: 8, containLabel: true },
    tooltip: {
      confine: true,
      backgroundColor: style.surface,
      borderColor: style.line,
      textStyle: { color: style.text, fontSize: 13 },
      ...tooltip,
    },
    ...(legend && {
      legend: {
        top: 0,
        left: 0,
        right: 0,
        type: "scroll", // In a narrow window one line that turns.
        pageTextStyle: { color: style.muted },
        pageIconColor: style.accent,
        pageIconInactiveColor: style.line,
        itemWidth: 16,
        itemHeight: 10,
        itemGap: 12,
        inactiveColor: style.line,
        textStyle: { color: style.text },
        ...legend,
      },
    }),
    ...rest,
    ...(xAxis !== undefined && { xAxis: axis(xAxis) }),
    ...(yAxis !== undefined && { yAxis: axis(yAxis) }),
  };
}

// Quiet patterns: the first series is plain.
const kDecals = [
  { symbol: "none" },
  { dashArrayX: [1, 0], dashArrayY: [2, 6], rotation: -Math.PI / 4 },
  {
    symbol: "circle",
    dashArrayX: [
      [6, 6],
      [0, 6, 6, 0],
    ],
    dashArrayY: [6, 0],
    symbolSize: 0.5,
  },
  { dashArrayX: [1, 0], dashArrayY: [2, 6], rotation: Math.PI / 4 },
  { dashArrayX: [1, 0], dashArrayY: [2, 6], rotation: 0 },
  {
    symbol: "rect",
    dashArrayX: [
      [8, 8],
      [0, 8, 8, 0],
    ],
    dashArrayY: [8, 0],
    symbolSize: 0.4,
  },
  { dashArrayX: [1, 0], dashArrayY: [2, 6], rotation: Math.PI / 2 },
];

// A heatmap's cells are always taken for a drawing in pieces, on a canvas of its own (ECharts 6.1,
// getIncrementalId), and on paper the canvas below that one is empty.
function onOneCanvas(chart: EChartsType): void {
  const zr = chart.getZr();
  for (const one of zr.storage.getDisplayList(true)) one.incremental = 0;
  zr.refreshImmediately();
}

const kRowLabels = 150; // About what is left of a matrix, in pixels.

// Labels above a matrix of so many columns: in as many lines as they need, or upright.
export function topLabels(look: Canvas, columns: number) {
  const width = (look.width - kRowLabels) / columns;
  const shape =
    width < 72
      ? { rotate: 90 }
      : { width: Math.min(84, width), overflow: "break", verticalAlign: "bottom" };
  return { color: look.text, interval: 0, hideOverlap: false, lineHeight: 14, ...shape };
}

export interface Picked {
  name: string;
  seriesName?: string;
  data: any;
}

export function Chart(props: {
  draw: Draw;
  label: string;
  height: number;
  onPick?: (picked: Picked) => void;
  handle: RefObject<EChartsType | null>;
}) {
  const box = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const redraw = useRef<() => void>(() => undefined);

  useEffect(() => {
    let gone = false;
    let clean = () => undefined as void;
    void engine.then(({ init }) => {
      if (gone || !box.current) return;
      const chart = init(box.current, null, { renderer: "canvas" });
      latest.current.handle.current = chart;
      let selected = {}; // In the legend: series that somebody has put out of the drawing.
      redraw.current = () => {
        const style = { ...look(), width: box.current?.clientWidth ?? 0 };
        const { draw, label } = latest.current;
        const option = draw(style);
        const legend = option.legend && { ...option.legend, selected };
        chart.setOption(withDefaults({ ...option, legend }, style, label), { notMerge: true });
        onOneCanvas(chart);
        box.current?.setAttribute("data-drawn", "1");
      };
      redraw.current();
      chart.on("legendselectchanged", (event) => {
        selected = (event as { selected: Record<string, boolean> }).selected;
      });
      chart.on("click", (event) => latest.current.onPick?.(event as unknown as Picked));
      const size = new ResizeObserver(() => {
        chart.resize();
        redraw.current();
      });
      size.observe(box.current);
      const theme = onTheme(() => redraw.current());
      clean = () => {
        size.disconnect();
        theme();
        // A drawing that is not finished would go on in the next frame, on nothing (zrender 6.1).
        chart.clear();
        chart.getZr().flush();
        chart.dispose();
      };
    });
    return () => {
      gone = true;
      redraw.current = () => undefined;
      clean();
    };
  }, []);
  useEffect(() => redraw.current(), [props.draw, props.label]);

  return (
    <div
      ref={box}
      class={props.onPick ? "chart pickable" : "chart"}
      role="img"
      aria-label={props.label}
      style={{ height: `${props.height}px` }}
    />
  );
}
