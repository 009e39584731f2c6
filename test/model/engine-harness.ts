import { randomBytes } from 'node:crypto';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { DataSource } from 'typeorm';
import { AppModule } from '../../src/app.module.js';
import { createDataSource } from '../../src/data-source.js';
import { loadConfig } from '../../src/platform/config/config.js';
import { InstallationKey } from '../../src/platform/crypto/installation-key.js';
import { queryRows } from '../../src/platform/database/query-rows.js';
import { Connectors } from '../../src/tools/connectors.js';
import { anActivePolicy } from '../factories/access-policies.js';
import { liftBrakeLimits } from '../factories/brake-limits.js';
import { anInstallation } from '../factories/installations.js';
import { aTool } from '../factories/tools.js';
import { createTestDatabase } from '../support/database.js';
import { POLICY } from './entitlements.js';
import { letSqlBeChanged } from './mutations.js';
import { scriptedConnector, ScriptedTool } from './scripted-tool.js';

export const TOOL_KEYS = ['tool-0', 'tool-1'] as const;

/** Everything that a history writes; the tools, the policy and the installation stay. */
const OF_A_HISTORY = [
  'people, employments, accounts, grants, sessions, credentials, credential_handovers, devices, device_encryption, device_observations',
  'cases, steps, step_needs, attempts, holds, alerts, workers, inbox_events, braked_cases, brakes, brake_slots',
].join(', ');

/** The real engine in this process, on a PostgreSQL of its own, with scripted tools behind the connectors. */
export class EngineHarness {
  tools: ScriptedTool[] = [];

  private constructor(
    readonly app: INestApplicationContext,
    readonly db: DataSource,
    readonly databaseUrl: string,
    private readonly end: () => Promise<void>,
  ) {}

  static async start(): Promise<EngineHarness> {
    const database = await createTestDatabase();
    const config = loadConfig({
      DATABASE_URL: database.url,
      QUARTERMASTER_KEY_FILE: 'none',
      QUARTERMASTER_ENVIRONMENT: 'test',
      LOG_LEVEL: 'silent',
    });
    const db = await createDataSource({ url: database.url, applicationName: 'model', poolSize: 6 }).initialize();
    letSqlBeChanged(db);
    const key = new InstallationKey(randomBytes(32));
    const app = await NestFactory.createApplicationContext(AppModule.of({ config, db, key }), {
      logger: false,
      abortOnError: false,
    });
    const harness = new EngineHarness(app, db, database.url, async () => {
      await app.close();
      if (db.isInitialized) await db.destroy();
      await database.drop();
    });
    // The composition root's connectors, with the scripted one in their place.
    const connector = scriptedConnector((name) => harness.tool(name));
    Object.assign(app.get(Connectors), { all: [connector] });
    await anInstallation(db.manager);
    await anActivePolicy(db.manager, POLICY);
    await liftBrakeLimits(app);
    for (const name of TOOL_KEYS) {
      const settings = { usernameFrom: 'local-part', connector: { key: name } } as const;
      const limits = { maxConcurrency: 4, callsPerSecond: 100_000 };
      await aTool(db.manager, { key: name, connector: 'scripted', settings }, limits);
    }
    return harness;
  }

  /** As if nothing had ever happened. */
  async forget(): Promise<void> {
    this.tools = TOOL_KEYS.map((key) => new ScriptedTool(key));
    await this.db.query(`TRUNCATE ${OF_A_HISTORY} CASCADE`);
    await this.db.query(`UPDATE tools SET state = 'active', paused_until = NULL, pause_reason = NULL`);
  }

  tool(key: string): ScriptedTool {
    const found = this.tools.find((tool) => tool.key === key);
    if (!found) throw new Error(`there is no tool ${key}`);
    return found;
  }

  async rows<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return queryRows<Row>(this.db, sql, parameters);
  }

  /** Lets time pass: everything that the engine compares with the database's clock lies that much further back. */
  async pass(ms: number): Promise<void> {
    const back = `- ${Math.round(ms)} * interval '1 ms'`;
    await this.db.query(
      `UPDATE steps SET due_at = due_at ${back}, lease_until = lease_until ${back}, call_deadline = call_deadline ${back}
       WHERE state NOT IN ('done', 'superseded', 'waived')`,
    );
    await this.db.query(
      `UPDATE attempts SET call_deadline = call_deadline ${back}, abandoned_at = abandoned_at ${back} WHERE outcome IS NULL`,
    );
    await this.db.query(`UPDATE tools SET paused_until = paused_until ${back} WHERE paused_until IS NOT NULL`);
    await this.db.query(`UPDATE tool_budgets SET refilled_at = refilled_at ${back}`);
  }

  async stop(): Promise<void> {
    await this.end();
  }
}
