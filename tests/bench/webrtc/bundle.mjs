// Prints the page's exchange as one script that puts it on `window`.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const web = join(dirname(fileURLToPath(import.meta.url)), "../../../web");
const { build } = await import(
  pathToFileURL(createRequire(join(web, "package.json")).resolve("vite"))
);
const entry = "virtual:entry";
const source = `import { createExchange } from ${JSON.stringify(join(web, "src/exchange/index.ts"))}; window.createExchange = createExchange;`;
const result = await build({
  root: web,
  configFile: false,
  logLevel: "silent",
  plugins: [
    {
      name: "entry",
      resolveId: (id) => (id === entry ? id : undefined),
      load: (id) => (id === entry ? source : undefined),
    },
  ],
  build: {
    write: false,
    target: "es2022",
    rollupOptions: { input: entry, output: { codeSplitting: false } },
  },
});
const output = (Array.isArray(result) ? result[0] : result).output;
process.stdout.write(output.find((chunk) => chunk.type === "chunk").code);
