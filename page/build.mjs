// Bundles the page: hashed names, gzip'ed, with the licences of what is in it, and a C++ source that
// holds all of it. Works without the network.
//   node build.mjs --out DIR
import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import esbuild from "esbuild";

const out = path.resolve(process.argv[process.argv.indexOf("--out") + 1] ?? "build");
const types = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
};

const hashOf = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 10);

// The licence and notice of each package that is in the bundle.
function licencesOf(inputs) {
  const packages = new Map();
  for (const input of inputs) {
    const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (found) packages.set(found[1], true);
  }
  const parts = [...packages.keys()].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(path.join(folder, "package.json")));
    const files = readdirSync(folder)
      .filter((file) => /^(licen[cs]e|notice|copying)/i.test(file))
      .flatMap((file) =>
        statSync(path.join(folder, file)).isDirectory()
          ? readdirSync(path.join(folder, file)).map((inner) => path.join(file, inner))
          : [file],
      )
      .sort();
    if (files.length === 0) throw new Error(`${name}: no licence file`);
    const texts = files.map((file) => readFileSync(path.join(folder, file), "utf8").trim());
    return `${name} ${version} (${license})\n\n${texts.join("\n\n")}\n`;
  });
  const head = "rfmstream is under the Apache License 2.0. Its page holds these packages:\n";
  return [head, ...parts].join(`\n${"-".repeat(78)}\n\n`);
}

const bundle = await esbuild.build({
  entryPoints: ["src/main.tsx"],
  outdir: path.join(out, "assets"),
  bundle: true,
  splitting: true,
  format: "esm",
  target: ["es2021", "chrome100", "firefox100", "safari15.4"],
  jsx: "automatic",
  jsxImportSource: "preact",
  minify: true,
  preserveSymlinks: true,
  entryNames: "[name].[hash]",
  chunkNames: "[name].[hash]",
  legalComments: "none",
  metafile: true,
  write: false,
});

// Served path -> bytes.
const assets = new Map();
const add = (name, bytes) => {
  assets.set(`/assets/${name}`, Buffer.from(bytes));
  return `/assets/${name}`;
};
const placed = {};
for (const file of bundle.outputFiles) {
  const name = path.basename(file.path);
  const served = add(name, file.contents);
  if (name.startsWith("main.")) placed[name.endsWith(".css") ? "style" : "main"] = served;
  if (name.startsWith("engine.")) placed.engine = served;
}
const icon = readFileSync("src/icon.svg");
placed.icon = add(`icon.${hashOf(icon)}.svg`, icon);
const licences = licencesOf(Object.keys(bundle.metafile.inputs));
placed.licences = add(`licences.${hashOf(licences)}.txt`, licences);
const html = readFileSync("src/index.html", "utf8").replace(/@(\w+)@/g, (_, name) => {
  if (!placed[name]) throw new Error(`index.html: nothing is called ${name}`);
  return placed[name];
});
assets.set("/", Buffer.from(html));

rmSync(out, { recursive: true, force: true });
mkdirSync(path.join(out, "assets"), { recursive: true });
const entries = [];
let whole = 0;
for (const [served, bytes] of [...assets].sort()) {
  const file = path.join(out, served === "/" ? "index.html" : served);
  writeFileSync(file, bytes);
  // The same bytes on every machine: gzip without name and time.
  const packed = execFileSync("gzip", ["-9nc"], { input: bytes, maxBuffer: 64 << 20 });
  writeFileSync(`${file}.gz`, packed);
  whole += packed.length;
  entries.push({
    served,
    file: `${file}.gz`,
    type: types[path.extname(file)],
    etag: hashOf(packed),
  });
  console.log(
    `${String(bytes.length).padStart(8)} ${String(packed.length).padStart(7)} gzip  ${served}`,
  );
}
console.log(`${whole} bytes gzip in all`);

const quoted = (text) => JSON.stringify(text);
const source = `// Written by page/build.mjs: the page, gzip'ed.
#include "admin/page_assets.h"

#include <cstddef>

${entries
  .map(
    ({ file }, index) => `__asm__(
    ".section .rodata\\n"
    "rfm_page_${index}:\\n"
    ".incbin ${quoted(quoted(file)).slice(1, -1)}\\n"
    "rfm_page_${index}_end:\\n"
    ".byte 0\\n"
    ".previous\\n");
extern "C" const char rfm_page_${index}[];
extern "C" const char rfm_page_${index}_end[];
`,
  )
  .join("")}
namespace rfm {

namespace {

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

std::span<const Asset> page_assets() {
  static const Asset kAssets[] = {
${entries
  .map(
    ({ served, type, etag }, index) =>
      `      {${quoted(served)}, ${quoted(type)}, between(rfm_page_${index}, rfm_page_${index}_end), ${quoted(`"${etag}"`)}},`,
  )
  .join("\n")}
  };
  return kAssets;
}

}  // namespace rfm
`;
writeFileSync(path.join(out, "page_assets.cc"), source);
