import { readFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import openapi, { astToString } from 'openapi-typescript';
import { expect, it } from 'vitest';

const at = (name: string) => new URL(name, import.meta.url);

it('schema.d.ts is what openapi.json gives: run `npm run generate` if it is not', { timeout: 30_000 }, async () => {
  const header = readFileSync(at('./schema.d.ts'), 'utf8').split('export interface paths')[0];
  const made = astToString(await openapi(at('./openapi.json')));
  const options = await resolveConfig(at('./schema.d.ts'));
  const expected = await format(`${header}${made}`, { ...options, parser: 'typescript' });
  expect(readFileSync(at('./schema.d.ts'), 'utf8')).toBe(expected);
});
