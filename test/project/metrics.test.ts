/** Metrics, dashboards, alerts and their documents say the same, and every label has a closed list. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { parse } from 'yaml';

import { createActivities } from '../../src/activities/index.js';
import type { ActivityContext } from '../../src/activities/context.js';
import { openContext } from '../../src/api/open-context.js';
import { loadConfig } from '../../src/config/index.js';
import { createLogger } from '../../src/logging/index.js';
import type { Definition } from '../../src/metrics/definition.js';
import { DEFINITIONS } from '../../src/metrics/definitions.js';
import { bucketsTable, labelsTable, metricsTable } from '../../src/metrics/describe.js';
import { ACTIVITIES, GRPC_METHODS, ROUTES, STAGES } from '../../src/metrics/labels.js';
import { metrics, metricsOf } from '../../src/metrics/metrics.js';
import { createServer } from '../../src/starters/http/server.js';

const root = resolve(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const definitions: readonly Definition[] = Object.values(DEFINITIONS);
const between = (marker: string) =>
  new RegExp(`<!-- ${marker}:start -->\\n([^]*)<!-- ${marker}:end -->`).exec(read('docs/metrics.md'))?.[1]?.trim();

describe('definitions', () => {
  it('are what docs/metrics.md says (else: npm run build && node scripts/docs.mjs)', () => {
    expect(between('metrics')).toBe(metricsTable());
    expect(between('labels')).toBe(labelsTable());
    expect(between('buckets')).toBe(bucketsTable());
  });

  it('follow the conventions of Prometheus', () => {
    for (const { name, type, help } of definitions) {
      expect(name).toMatch(/^mediamill_[a-z_]+[a-z]$/);
      expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
      expect(name).not.toMatch(/_(milliseconds|ms|minutes|kib|mib|percent)\b/);
      expect(help).toMatch(/^[A-Z`].*\.$/);
    }
    expect(new Set(definitions.map(({ name }) => name)).size).toBe(definitions.length);
  });

  it('have no label for what has no end', () => {
    const labels = definitions.flatMap((definition) => Object.entries(definition.labels));
    for (const [label, values] of labels) {
      expect(label).not.toMatch(/id$|tenant|asset|key|user|url|path|title|name|instance|job|role/i);
      expect(values.length).toBeLessThanOrEqual(64);
      expect(new Set(values).size).toBe(values.length);
    }
  });

  it.each(Object.keys(DEFINITIONS) as (keyof typeof DEFINITIONS)[])(
    '%s: what is in no list is counted as `other`',
    async (key) => {
      const definition: Definition = DEFINITIONS[key];
      const strange = Object.fromEntries(Object.keys(definition.labels).map((label) => [label, 'tenant-4711']));
      const instrument = metrics[key] as unknown as Record<'inc' | 'set' | 'observe', (...args: unknown[]) => void>;
      const use = { counter: 'inc', gauge: 'set', histogram: 'observe' } as const;
      instrument[use[definition.type]](strange, 1);
      const family = metricsOf(definition.by[0]!).find(
        (one) => (one as unknown as { name: string }).name === definition.name,
      )!;
      const { values } = await family.get();
      expect(values.length).toBeGreaterThan(0);
      for (const { labels } of values) {
        for (const [label, list] of Object.entries(definition.labels)) {
          expect([...list, 'other']).toContain((labels as Record<string, string>)[label]);
        }
      }
    },
  );
});

describe('lists of labels', () => {
  it('have every activity', () => {
    const config = loadConfig({ files: [], env: {} });
    const logger = createLogger({ ...config.log, level: 'error' });
    const parts = ['profiles', 'store', 'catalogue', 'db', 'results', 'scratch', 'tools'];
    const outside = Object.fromEntries(parts.map((name) => [name, nothing()]));
    const roles = createActivities({ config, logger, ...outside } as unknown as ActivityContext);
    const names = Object.values(roles).flatMap((role) => Object.keys(role as object));
    expect([...ACTIVITIES].sort()).toEqual([...new Set(names)].sort());
  });

  it('have every route of the HTTP server', async () => {
    const config = loadConfig({ files: [], env: {} });
    const { ctx, close } = openContext(config, createLogger({ ...config.log, level: 'error' }), 'test');
    const server = await createServer(ctx);
    try {
      const routes = routesOf(server.printRoutes({ commonPrefix: false }));
      expect(routes).toContain('/v1/assets/:id');
      expect(routes.filter((route) => !(ROUTES as readonly string[]).includes(route))).toEqual([]);
    } finally {
      await server.close();
      await close();
    }
  });

  it('have every method of the gRPC service', () => {
    const methods = [...read('proto/mediamill/v1/video.proto').matchAll(/^ {2}rpc (\w+)/gm)].map(([, name]) => name);
    expect([...GRPC_METHODS].sort()).toEqual(methods.sort());
  });

  it('have every stage that workflows name', () => {
    const files = readdirSync(join(root, 'src/workflows')).map((file) => read(`src/workflows/${file}`));
    const stages = files.flatMap((text) => [...text.matchAll(/\.enter\('([\w-]+)'/g)].map(([, stage]) => stage!));
    expect(stages.length).toBeGreaterThan(5);
    expect(stages.filter((stage) => !(STAGES as readonly string[]).includes(stage))).toEqual([]);
  });
});

interface Rules {
  groups: { rules: { alert?: string; record?: string; expr: string; labels?: object; annotations?: object }[] }[];
}
const rules = ['rules', 'alerts'].flatMap((file) =>
  (parse(read(`deploy/prometheus/${file}.yml`)) as Rules).groups.flatMap((group) => group.rules),
);
const alerts = rules.filter(({ alert }) => alert);
const boards = readdirSync(join(root, 'deploy/grafana/dashboards')).map((file) => ({
  file,
  board: JSON.parse(read(`deploy/grafana/dashboards/${file}`)) as {
    uid: string;
    panels: { title: string; targets?: { expr: string }[] }[];
  },
}));
const queries = boards.flatMap(({ board }) =>
  board.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
);

describe('rules, alerts and dashboards', () => {
  it('are valid for promtool, and alerts fire when they should', () => {
    const promtool = (...args: string[]) => execFileSync('promtool', args, { cwd: join(root, 'deploy/prometheus') });
    expect(promtool('check', 'rules', 'rules.yml', 'alerts.yml').toString()).toContain('SUCCESS');
    expect(promtool('check', 'config', 'prometheus.yml').toString()).toContain('SUCCESS');
    expect(promtool('test', 'rules', 'alerts.test.yml').toString()).toContain('SUCCESS');
  });

  it('name metrics, labels and values that there are', () => {
    const known = new Map<string, Definition>();
    for (const definition of definitions) {
      const endings = definition.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
      for (const ending of endings) known.set(definition.name + ending, definition);
    }
    for (const expr of [...queries, ...rules.map((rule) => rule.expr)]) {
      for (const [, name = ''] of expr.matchAll(/\b(mediamill_\w+)/g)) expect([...known.keys()]).toContain(name);
      for (const [, name = '', selector = ''] of expr.matchAll(/\b(mediamill_\w+)\{([^}]*)\}/g)) {
        for (const [, label = '', text = ''] of selector.matchAll(/(\w+)[=!~]+"([^"]*)"/g)) {
          if (label === 'le') continue;
          for (const value of text.split('|')) expect(known.get(name)!.labels[label]).toContain(value);
        }
      }
    }
    expect(queries.length).toBeGreaterThan(40);
  });

  it('show every metric but what a process counts for itself', () => {
    const shown = [...queries, ...rules.map(({ expr }) => expr)].join('\n');
    const hidden = definitions.map(({ name }) => name).filter((name) => !shown.includes(name));
    // `mediamill ingest` shows these itself.
    expect(hidden).toEqual(['mediamill_ingest_lines_total', 'mediamill_ingest_items']);
  });

  it('have a paragraph for each alert, and an alert for each paragraph', () => {
    const text = read('docs/operations.md');
    const paragraphs = [...text.matchAll(/^#### (Mediamill\w+)\n\n\S/gm)].map(([, name]) => name!);
    expect(paragraphs.sort()).toEqual(alerts.map(({ alert }) => alert!).sort());
    for (const { alert, labels, annotations } of alerts) {
      expect(annotations).toMatchObject({ runbook_url: `docs/operations.md#${alert!.toLowerCase()}` });
      expect(labels).toEqual({ severity: expect.stringMatching(/^(page|ticket)$/) as unknown });
    }
  });

  it('are scraped from every service of the compose file that is ours', () => {
    const compose = parse(read('docker-compose.yml'), { merge: true }) as {
      services: Record<string, { image?: string; environment?: Record<string, string> }>;
    };
    const ours = Object.entries(compose.services).filter(
      ([name, { image }]) => image?.startsWith('mediamill:') && name !== 'init',
    );
    const config = parse(read('deploy/prometheus/prometheus.yml')) as {
      scrape_configs: { dns_sd_configs: { names: string[]; port: number }[] }[];
    };
    const { names, port } = config.scrape_configs[0]!.dns_sd_configs[0]!;
    expect([...names].sort()).toEqual(ours.map(([name]) => name).sort());
    for (const [, { environment }] of ours) {
      expect(environment).toMatchObject({ METRICS_HOST: '0.0.0.0', METRICS_PORT: String(port) });
    }
  });

  it('have ids of their own', () => {
    for (const { file, board } of boards) expect(file).toBe(`${board.uid}.json`);
  });
});

/** Of a tree in which each branch is four characters further in than what it grows from. */
function routesOf(tree: string): string[] {
  const path: string[] = [];
  return [...tree.matchAll(/^((?:[│ ] {3})*)[├└]── (\S+?)(?: \((.*)\))?$/gm)].flatMap(
    ([, indent = '', part, methods]) => {
      path.length = indent.length / 4;
      path.push(part!);
      // The tree leaves out what stands between a parameter and a wildcard.
      return methods ? [path.join('').replace(/^\/v1\/assets\/:id\*$/, '/v1/assets/:id/play/*')] : [];
    },
  );
}

/** Whatever is asked of it: activities are only made here, none of them runs. */
function nothing(): unknown {
  return new Proxy(() => undefined, { get: (_, name) => (name === Symbol.toPrimitive ? () => '' : nothing()) });
}
