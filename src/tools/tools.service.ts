import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { Config } from '../platform/config/config.js';
import { readEntities } from '../platform/database/read-entities.js';
import { Problem } from '../platform/errors/problem.js';
import { requireChanged } from '../platform/http/versions.js';
import { newId } from '../platform/ids/new-id.js';
import { keepWithin, requireWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Connectors } from './connectors.js';
import { parseSettings } from './parse-settings.js';
import { DEFAULT_LIMITS, divideLimits, limitsOf, type ToolLimits } from './tool-budgets.js';
import { ToolBudget } from './tool-budget.entity.js';
import { ToolSecrets } from './tool-secrets.service.js';
import { Tool, type Environment, type ToolState } from './tool.entity.js';
import type { StoredSettings } from './stored-settings.js';

/** What of a tool may be changed later. */
export interface ToolChange extends Partial<ToolLimits> {
  name?: string;
  settings?: Record<string, unknown>;
  usernameFrom?: StoredSettings['usernameFrom'];
  /** By the connector's name of the field; those left out stay as they are. */
  secrets?: Record<string, string>;
  allowPrivateAddresses?: boolean;
  requiresSecondPerson?: boolean;
  owners?: string[];
}

export interface NewTool extends ToolChange {
  key: string;
  name: string;
  connector: string;
  environment: Environment;
  settings: Record<string, unknown>;
  owners: string[];
}

export interface ToolsFilter {
  connector?: string;
  state?: ToolState;
}

/** The only writer of `tools` and, but for the allowances that the engine spends, of `tool_budgets`. */
@Injectable()
export class ToolsService {
  constructor(
    private readonly connectors: Connectors,
    private readonly secrets: ToolSecrets,
    private readonly audit: AuditService,
    private readonly config: Config,
  ) {}

  /** @throws Problem `invalid-request` for wrong settings, missing secrets, or a tool of the other environment */
  async create(tx: EntityManager, actor: Actor, want: NewTool): Promise<Tool> {
    this.refuseOtherEnvironment(want.environment);
    const connector = this.connectors.get(want.connector);
    const settings = parseSettings(connector, want.settings);
    const id = newId();
    const tool = {
      id,
      key: want.key,
      name: want.name,
      connector: want.connector,
      environment: want.environment,
      settings: forColumn({ usernameFrom: want.usernameFrom ?? 'local-part', connector: settings }),
      secretIds: await this.secrets.seal(tx, connector, settings, want.secrets ?? {}),
      allowPrivateAddresses: want.allowPrivateAddresses ?? false,
      requiresSecondPerson: want.requiresSecondPerson ?? false,
      owners: normalOwners(want.owners),
    };
    const inserted = await tx
      .createQueryBuilder()
      .insert()
      .into(Tool)
      .values(tool)
      .orIgnore()
      .returning('id')
      .execute();
    const rows: unknown = inserted.raw;
    if (!Array.isArray(rows) || rows.length === 0)
      throw new Problem('conflict', `There is a tool “${want.key}” already.`);
    await this.writeBudgets(tx, id, { ...DEFAULT_LIMITS, ...limitsIn(want) });
    await this.audit.record(tx, actor, 'tool.created', {
      subject: { kind: 'tool', id },
      facts: { key: want.key, connector: want.connector, environment: want.environment },
    });
    return this.get(tx, id);
  }

  /** @throws Problem `precondition-failed` when it was changed since; otherwise as `create` */
  async update(
    tx: EntityManager,
    actor: Actor,
    id: string,
    change: ToolChange,
    expectedVersion: number,
  ): Promise<Tool> {
    await requireWithin(tx, actor, 'whole tool', id);
    const tool = await this.lock(tx, id);
    requireChanged(tool.version === expectedVersion ? 1 : 0);
    const connector = this.connectors.get(tool.connector);
    const settings = change.settings ? parseSettings(connector, change.settings) : tool.settings.connector;
    const usernameFrom = change.usernameFrom ?? tool.settings.usernameFrom;
    const secretIds = await this.secrets.replace(tx, connector, settings, tool.secretIds, change.secrets ?? {});
    await tx.update(
      Tool,
      { id },
      {
        name: change.name ?? tool.name,
        settings: forColumn({ usernameFrom, connector: settings }),
        secretIds,
        allowPrivateAddresses: change.allowPrivateAddresses ?? tool.allowPrivateAddresses,
        requiresSecondPerson: change.requiresSecondPerson ?? tool.requiresSecondPerson,
        owners: change.owners ? normalOwners(change.owners) : tool.owners,
        ...touched(),
      },
    );
    const limits = limitsIn(change);
    if (Object.keys(limits).length > 0) await this.writeBudgets(tx, id, { ...(await this.limits(tx, id)), ...limits });
    await this.audit.record(tx, actor, 'tool.changed', {
      subject: { kind: 'tool', id },
      // Names only: settings may tell more about a company's insides than an audit's readers should know.
      facts: { fields: Object.keys(change), secrets: Object.keys(change.secrets ?? {}) },
    });
    return this.get(tx, id);
  }

  /** @throws Problem `not-found` */
  async get(tx: EntityManager, id: string): Promise<Tool> {
    return known(await tx.findOneBy(Tool, { id }));
  }

  /** @throws Problem `not-found` */
  async lock(tx: EntityManager, id: string): Promise<Tool> {
    return known(await tx.findOne(Tool, { where: { id }, lock: { mode: 'pessimistic_write' } }));
  }

  async findByKey(tx: EntityManager, key: string): Promise<Tool | null> {
    return tx.findOneBy(Tool, { key });
  }

  /** `human`: it has no API; every act there is somebody's task. */
  kindOf({ connector }: Tool): 'api' | 'human' {
    return this.connectors.find(connector)?.kind ?? 'api';
  }

  /** Every tool that isn't retired, by key. */
  async inUse(tx: EntityManager): Promise<Tool[]> {
    return readEntities(tx, Tool, `WHERE state <> 'retired' ORDER BY key`, []);
  }

  async list(
    tx: EntityManager,
    actor: Actor,
    filter: ToolsFilter,
    page: { after: string | null; limit: number },
  ): Promise<Tool[]> {
    const query = tx.createQueryBuilder(Tool, 'tool').orderBy('tool.id').limit(page.limit);
    keepWithin(query, actor, 'tool');
    if (page.after) query.andWhere('tool.id > :after', { after: page.after });
    if (filter.connector) query.andWhere('tool.connector = :connector', { connector: filter.connector });
    if (filter.state) query.andWhere('tool.state = :state', { state: filter.state });
    return query.getMany();
  }

  async limits(tx: EntityManager, id: string): Promise<ToolLimits> {
    return limitsOf(await tx.findBy(ToolBudget, { toolId: id }));
  }

  /**
   * No calls until it is resumed; its steps wait, and their deadlines run on. One that is paused gets the new reason.
   * @param until null: until somebody resumes it
   */
  async pause(tx: EntityManager, actor: Actor, id: string, reason: string, until: Date | null = null): Promise<void> {
    await requireWithin(tx, actor, 'whole tool', id);
    const tool = await this.lock(tx, id);
    if (tool.state === 'retired') throw new Problem('conflict', 'A retired tool is not called anyway.');
    await tx.update(Tool, { id }, { state: 'paused', pauseReason: reason, pausedUntil: until, ...touched() });
    await this.audit.record(tx, actor, 'tool.paused', {
      subject: { kind: 'tool', id },
      facts: { reason, until: until?.toISOString() ?? null },
    });
  }

  /** A tool that is active already stays as it is. */
  async resume(tx: EntityManager, actor: Actor, id: string): Promise<void> {
    await requireWithin(tx, actor, 'whole tool', id);
    const tool = await this.lock(tx, id);
    if (tool.state === 'active') return;
    if (tool.state === 'retired') throw new Problem('conflict', 'A retired tool is not used again; add a new one.');
    await tx.update(Tool, { id }, { state: 'active', pauseReason: null, pausedUntil: null, ...touched() });
    await this.audit.record(tx, actor, 'tool.resumed', { subject: { kind: 'tool', id } });
  }

  /** The tool answered to our credentials. The version stays: nothing that anybody edits has changed. */
  async setChecked(tx: EntityManager, id: string, principal: string): Promise<void> {
    await tx.update(Tool, { id }, { ownPrincipal: principal, checkedAt: () => 'now()' });
  }

  private async writeBudgets(tx: EntityManager, toolId: string, limits: ToolLimits): Promise<void> {
    for (const { share, concurrency, callsPerSecond, burst } of divideLimits(limits)) {
      // A full bucket at the start; a changed one keeps what it held, as far as the new size has room for it.
      await tx.query(
        `INSERT INTO tool_budgets (tool_id, share, concurrency, calls_per_second, burst, allowance)
         VALUES ($1, $2, $3, $4, $5, $5)
         ON CONFLICT ON CONSTRAINT pk_tool_budgets DO UPDATE
         SET concurrency = EXCLUDED.concurrency, calls_per_second = EXCLUDED.calls_per_second, burst = EXCLUDED.burst,
             allowance = LEAST(tool_budgets.allowance, EXCLUDED.burst)`,
        [toolId, share, concurrency, callsPerSecond, burst],
      );
    }
  }

  private refuseOtherEnvironment(environment: Environment): void {
    if (environment === this.config.environment) return;
    const detail = `This is a ${this.config.environment} installation: it takes no ${environment} tool. Test and production are kept apart.`;
    throw new Problem('invalid-request', detail, [{ pointer: '/environment', detail }]);
  }
}

function limitsIn({ maxConcurrency, callsPerSecond }: Partial<ToolLimits>): Partial<ToolLimits> {
  return {
    ...(maxConcurrency === undefined ? {} : { maxConcurrency }),
    ...(callsPerSecond === undefined ? {} : { callsPerSecond }),
  };
}

function normalOwners(owners: readonly string[]): string[] {
  return [...new Set(owners.map((owner) => owner.trim().toLowerCase()))];
}

/** TypeORM's partial types can't express `unknown` inside a JSON column; what goes in is checked here instead. */
function forColumn(settings: StoredSettings): object {
  return settings;
}

function touched() {
  return { version: () => 'version + 1', updatedAt: () => 'now()' };
}

function known(tool: Tool | null): Tool {
  if (!tool) throw new Problem('not-found', 'There is no tool with this id.');
  return tool;
}
