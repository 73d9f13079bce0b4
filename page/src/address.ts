// All state of the page is in the part of the address behind the #: `#/moves?from=..&to=..&seg=rfm`.
// So an address that is shared shows the same.
import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";

export interface Address {
  screen: string; // "" is the overview.
  id: string; // Behind the screen: `#/c/12347`.
  params: URLSearchParams;
}

// These go along from screen to screen.
const kShared = ["from", "to", "span", "seg"];

export function parseAddress(hash: string): Address {
  const [path, query = ""] = splitOnce(hash.replace(/^#\/?/, ""), "?");
  const [screen, id = ""] = splitOnce(path, "/");
  return { screen, id: decoded(id), params: new URLSearchParams(query) };
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function written(screen: string, id: string, params: URLSearchParams): string {
  const query = params.toString();
  const path = id ? `${screen}/${encodeURIComponent(id)}` : screen;
  return `#/${path}${query ? `?${query}` : ""}`;
}

// Null takes a parameter away; an empty text stays as one.
type Changes = Record<string, string | number | null | undefined>;

function changed(params: URLSearchParams, changes: Changes): URLSearchParams {
  const result = new URLSearchParams(params);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === undefined) result.delete(name);
    else result.set(name, String(value));
  }
  return result;
}

// The same screen with other parameters.
export function here(address: Address, changes: Changes): string {
  return written(address.screen, address.id, changed(address.params, changes));
}

// Another screen, with the dates and the segmentation of this one.
export function there(address: Address, screen: string, changes: Changes = {}, id = ""): string {
  const kept = new URLSearchParams();
  for (const name of kShared) {
    const value = address.params.get(name);
    if (value) kept.set(name, value);
  }
  return written(screen, id, changed(kept, changes));
}

export function go(hash: string): void {
  location.hash = hash;
}

// For what is typed or toggled: no entry in the browser's history.
export function replace(hash: string): void {
  history.replaceState(null, "", hash);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

export function useLocationHash(): Address {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const listen = () => setHash(location.hash);
    addEventListener("hashchange", listen);
    return () => removeEventListener("hashchange", listen);
  }, []);
  return parseAddress(hash);
}

export const AddressContext = createContext<Address>(parseAddress(""));

export function useAddress(): Address {
  return useContext(AddressContext);
}

// A positive number of a parameter, or `otherwise`.
export function numberOf(address: Address, name: string, otherwise: number): number {
  const value = Number(address.params.get(name));
  return Number.isFinite(value) && value > 0 ? value : otherwise;
}
