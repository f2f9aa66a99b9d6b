import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { context, trace, TraceFlags } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import ts from 'typescript';
import { createLogger } from './logger.js';
import { logFields } from './log-field-catalogue.js';
import { metricCatalogue } from './metric-catalogue.js';
import { inContext } from './request-context.js';
import { spanAttributes } from './span-catalogue.js';

const levels = new Set(['trace', 'debug', 'info', 'warn', 'error', 'fatal']);
const SPAN_CALLS = new Set(['startSpan', 'withSpan', 'setAttribute', 'setAttributes']);

const sources = ['libs', 'services'].flatMap((root) =>
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\/src\/.*(?<!\.spec|\.d)\.ts$/.test(name) && !/node_modules|\/dist\/|generated/.test(name))
    .map((name) => join(root, name)),
);

interface Use {
  readonly path: string;
  readonly name: string;
}

const nameOf = (node: ts.Node): string | undefined => {
  if (ts.isPropertyAccessExpression(node)) return node.name.text;
  if (ts.isElementAccessExpression(node)) return '[level]';
  return ts.isIdentifier(node) ? node.text : undefined;
};

/** Whether the call writes a log line: `logger.warn(…)`, `this.options.logger[level](…)`. */
function isLogging({ expression }: ts.CallExpression): boolean {
  if (!ts.isPropertyAccessExpression(expression) && !ts.isElementAccessExpression(expression)) return false;
  const name = nameOf(expression);
  return /logger$/i.test(expression.expression.getText()) && (name === '[level]' || levels.has(name ?? ''));
}

/** Names of the properties an object literal has for sure or perhaps; those of `...(a ? { b } : {})`, too. */
function* properties(node: ts.Node): Generator<string> {
  if (!ts.isObjectLiteralExpression(node)) {
    const within: Generator<string>[] = [];
    if (ts.isConditionalExpression(node)) within.push(properties(node.whenTrue), properties(node.whenFalse));
    if (ts.isParenthesizedExpression(node)) within.push(properties(node.expression));
    for (const names of within) yield* names;
    return;
  }
  for (const property of node.properties) {
    if (ts.isSpreadAssignment(property)) yield* properties(property.expression);
    else if (property.name && !ts.isComputedPropertyName(property.name))
      yield property.name.getText().replaceAll("'", '');
  }
}

function* calls(node: ts.Node): Generator<ts.CallExpression> {
  if (ts.isCallExpression(node)) yield node;
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => void children.push(child));
  for (const child of children) yield* calls(child);
}

function uses(
  isMeant: (call: ts.CallExpression) => boolean,
  from: (call: ts.CallExpression) => Iterable<string>,
): Use[] {
  return sources.flatMap((path) => {
    const text = readFileSync(path, 'utf8');
    if (!/logger|[sS]pan/.test(text)) return [];
    const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
    return [...calls(file)].filter(isMeant).flatMap((call) => [...from(call)].map((name) => ({ path, name })));
  });
}

describe('what is told of running services', () => {
  const logged = uses(isLogging, ({ arguments: [first] }) => (first ? properties(first) : []));

  it('has log lines of catalogued fields only, and a catalogue of fields that are logged', () => {
    const known = Object.keys(logFields);
    expect(logged.length).toBeGreaterThan(60);
    expect(logged.filter(({ name }) => !known.includes(name))).toEqual([]);
    const always = ['time', 'level', 'service', 'message', 'request_id', 'tenant', 'trace_id', 'span_id'];
    const unused = known.filter((name) => !always.includes(name) && !logged.some((use) => use.name === name));
    expect(unused).toEqual([]);
  });

  it('has the fields that lead from a line to its trace on every line of a request', () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    let line = '';
    const destination = new Writable({ write: (chunk, _encoding, done) => done(void (line += String(chunk))) });
    const ids = {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: '00f067aa0ba902b7',
      traceFlags: TraceFlags.SAMPLED,
    };
    context.with(trace.setSpanContext(context.active(), ids), () =>
      inContext({ requestId: 'r', tenant: 'acme', subject: 's' }, () =>
        createLogger('vector', 'info', destination).info('A line'),
      ),
    );
    context.disable();
    const fields = JSON.parse(line) as Record<string, unknown>;
    expect(fields).toMatchObject({ trace_id: ids.traceId, span_id: ids.spanId, request_id: 'r', tenant: 'acme' });
    expect(Object.keys(fields).filter((name) => !(name in logFields))).toEqual([]);
  });

  it('has spans of catalogued attributes only', () => {
    const isSpanCall = ({ expression }: ts.CallExpression) => SPAN_CALLS.has(nameOf(expression) ?? '');
    const dotted = /'((?:[a-z_]+\.)+[a-z_]+)'/g;
    const found = uses(isSpanCall, (call) => {
      const body = call.getSourceFile().getFullText();
      const attributes = [...body.matchAll(/attributes = \{[^}]*\}/g)].map(([text]) => text);
      return [call.getText(), ...attributes].flatMap((text) => [...text.matchAll(dotted)].map(([, name]) => name!));
    });
    expect(found.length).toBeGreaterThan(15);
    expect(found.filter(({ name }) => !spanAttributes.includes(name))).toEqual([]);
    const unused = spanAttributes.filter((name) => !found.some((use) => use.name === name));
    expect(unused).toEqual([]);
  });

  it('has metrics that something counts, sets or observes', () => {
    const others = sources
      .filter((path) => !path.endsWith('/metric-catalogue.ts'))
      .map((path) => readFileSync(path, 'utf8'));
    const unused = Object.keys(metricCatalogue).filter((name) => !others.some((text) => text.includes(`'${name}'`)));
    expect(unused).toEqual([]);
  });
});
