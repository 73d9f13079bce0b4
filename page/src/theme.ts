// Light or dark: as the system says unless somebody chose. On paper always light.

export type Choice = "system" | "light" | "dark";

const kKey = "rfmstream.theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();
let choice: Choice = stored();
let printing = false;

function stored(): Choice {
  try {
    const value = localStorage.getItem(kKey);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system";
  }
}

export function themeChoice(): Choice {
  return choice;
}

export function isDark(): boolean {
  return !printing && (choice === "dark" || (choice === "system" && system.matches));
}

function apply(): void {
  document.documentElement.dataset.theme = isDark() ? "dark" : "light";
  for (const listener of listeners) listener();
}

export function chooseTheme(next: Choice): void {
  choice = next;
  try {
    if (next === "system") localStorage.removeItem(kKey);
    else localStorage.setItem(kKey, next);
  } catch {
    // A browser that keeps nothing: the choice holds for this visit.
  }
  apply();
}

// `listener` runs after colours have changed, at once, so that charts are redrawn before printing.
export function onTheme(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function startTheme(): void {
  system.addEventListener("change", apply);
  addEventListener("beforeprint", () => {
    printing = true;
    apply();
  });
  addEventListener("afterprint", () => {
    printing = false;
    apply();
  });
  apply();
}

// The colours of the style sheet, for what is drawn on a canvas.
export interface Look {
  dark: boolean;
  text: string;
  muted: string;
  line: string;
  surface: string;
  accent: string;
  good: string;
  bad: string;
}

export function look(): Look {
  const style = getComputedStyle(document.documentElement);
  const value = (name: string) => style.getPropertyValue(name).trim();
  return {
    dark: isDark(),
    text: value("--text"),
    muted: value("--muted"),
    line: value("--line"),
    surface: value("--surface"),
    accent: value("--accent"),
    good: value("--good"),
    bad: value("--bad"),
  };
}
