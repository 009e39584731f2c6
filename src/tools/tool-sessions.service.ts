import { Injectable } from '@nestjs/common';
import { DataSource, In } from 'typeorm';
import type { CallBack, CallContext, Connector, ToolSession } from '../../connectors/kit/contract.js';
import { callWithin } from '../../connectors/kit/deadline.js';
import { ToolError } from '../../connectors/kit/errors.js';
import { Config } from '../platform/config/config.js';
import { KeysAway, SecretError } from '../platform/crypto/secret-error.js';
import { Grouped } from '../platform/database/grouped.js';
import { newId } from '../platform/ids/new-id.js';
import { Connectors } from './connectors.js';
import { STORED_SECRETS, STORED_SETTINGS, type StoredSecrets } from './stored-settings.js';
import { ToolSecrets } from './tool-secrets.service.js';
import { Tool } from './tool.entity.js';

export interface OpenTool {
  tool: Tool;
  connector: Connector;
  /** On a connection of its own; whoever opened it closes it. */
  session: ToolSession;
}

/** Opens conversations with tools: the one place where a tool's secrets are unsealed. */
@Injectable()
export class ToolSessions {
  private readonly tools = new Grouped<string, LoadedTool | undefined>((ids) => this.load(ids));

  constructor(
    private readonly db: DataSource,
    private readonly connectors: Connectors,
    private readonly secrets: ToolSecrets,
    private readonly config: Config,
  ) {}

  /**
   * Loads the tool as it is now, so that a call never goes out with settings from a while ago. Must not be called
   * inside a transaction: the connector's `open` may already go to the network.
   *
   * @throws ToolError `invalid` for a tool that can't be used as it is configured, `auth-broken` when its secrets can't be
   * opened, and whatever the connector's `open` throws
   */
  async open(toolId: string, call: CallContext): Promise<OpenTool> {
    const loaded = await this.tools.ask(toolId);
    if (!loaded) throw new ToolError('invalid', 'This tool isn’t configured any more.');
    const { tool, stored } = loaded;
    if (tool.environment !== this.config.environment) {
      throw new ToolError(
        'invalid',
        `“${tool.name}” is a ${tool.environment} tool, and this is a ${this.config.environment} installation: it isn’t touched.`,
      );
    }
    const connector = this.connectors.find(tool.connector);
    if (!connector) throw new ToolError('invalid', `This version has no connector “${tool.connector}”.`);
    const settings = STORED_SETTINGS.safeParse(tool.settings);
    if (!settings.success || !stored) {
      throw new ToolError('invalid', `The stored settings of “${tool.name}” can’t be read; save the tool again.`);
    }
    const session = await connector.open({
      settings: settings.data.connector,
      secrets: opened(loaded.open, stored),
      secretsSavedFor: stored.savedFor ?? undefined,
      allowPrivateAddresses: tool.allowPrivateAddresses,
      call,
    });
    return { tool, connector, session };
  }

  /**
   * One conversation, closed at its end.
   *
   * @param ms for all of it
   * @param attemptId sent along where the tool's protocol has a place for it
   * @throws ToolError as `open`, and what the connector throws
   */
  async talk<T>(
    toolId: string,
    ms: number,
    work: (session: ToolSession) => Promise<T>,
    attemptId = newId(),
  ): Promise<T> {
    const { session } = await this.open(toolId, callWithin(ms, attemptId));
    try {
      return await work(session);
    } finally {
      await session.close();
    }
  }

  /**
   * What a tool's own message says is over: its handle and the tool it is from. Null when there is no such tool, or none
   * that calls back; whoever sent it can't tell that from a wrong signature.
   *
   * @throws ToolError as `Connector.readCallBack`
   */
  async readCallBack(key: string, message: CallBack): Promise<{ toolId: string; handle: string } | null> {
    const tool = await this.db.manager.findOneBy(Tool, { key, environment: this.config.environment });
    const connector = tool && this.connectors.find(tool.connector);
    const stored = STORED_SECRETS.safeParse(tool?.secretIds);
    if (!tool || !connector?.readCallBack || !stored.success) return null;
    const open = await this.secrets.load(this.db.manager, [stored.data]);
    return { toolId: tool.id, handle: connector.readCallBack(message, opened(open, stored.data)) };
  }

  /** Tools and their sealed secrets as they are now, for all the calls that are about to be made. */
  private async load(ids: readonly string[]): Promise<(LoadedTool | undefined)[]> {
    const { manager } = this.db;
    const tools = await manager.findBy(Tool, { id: In([...new Set(ids)]) });
    const stored = new Map(tools.map(({ id, secretIds }) => [id, STORED_SECRETS.safeParse(secretIds).data]));
    const open = await this.secrets.load(
      manager,
      [...stored.values()].filter((one) => one !== undefined),
    );
    const loaded = new Map(tools.map((tool) => [tool.id, { tool, stored: stored.get(tool.id), open }]));
    return ids.map((id) => loaded.get(id));
  }
}

type OpenSecrets = Awaited<ReturnType<ToolSecrets['load']>>;

interface LoadedTool {
  tool: Tool;
  /** Undefined: what is stored can't be read. */
  stored: StoredSecrets | undefined;
  open: OpenSecrets;
}

function opened(open: OpenSecrets, stored: StoredSecrets): Record<string, string> {
  try {
    return open(stored);
  } catch (error) {
    if (error instanceof KeysAway) {
      throw new ToolError('transient', `The tool’s secrets wait for the key that seals them: ${causeOf(error)}`, {
        cause: error,
      });
    }
    if (!(error instanceof SecretError)) throw error;
    throw new ToolError('auth-broken', 'The tool’s sealed secrets can’t be opened.', {
      remedy: 'Give them again.',
      cause: error,
    });
  }
}

function causeOf({ cause, message }: KeysAway): string {
  return cause instanceof Error ? cause.message : message;
}
