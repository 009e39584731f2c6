import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { CallContext, Connector, ToolSession } from '../../connectors/kit/contract.js';
import { ToolError } from '../../connectors/kit/errors.js';
import { Config } from '../platform/config/config.js';
import { SecretError } from '../platform/crypto/secret-vault.service.js';
import { Connectors } from './connectors.js';
import { STORED_SECRETS, STORED_SETTINGS } from './stored-settings.js';
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
    const tool = await this.db.manager.findOneBy(Tool, { id: toolId });
    if (!tool) throw new ToolError('invalid', 'This tool isn’t configured any more.');
    if (tool.environment !== this.config.environment) {
      throw new ToolError(
        'invalid',
        `“${tool.name}” is a ${tool.environment} tool, and this is a ${this.config.environment} installation: it isn’t touched.`,
      );
    }
    const connector = this.connectors.find(tool.connector);
    if (!connector) throw new ToolError('invalid', `This version has no connector “${tool.connector}”.`);
    const settings = STORED_SETTINGS.safeParse(tool.settings);
    const stored = STORED_SECRETS.safeParse(tool.secretIds);
    if (!settings.success || !stored.success) {
      throw new ToolError('invalid', `The stored settings of “${tool.name}” can’t be read; save the tool again.`);
    }
    const session = await connector.open({
      settings: settings.data.connector,
      secrets: await this.unseal(stored.data),
      secretsSavedFor: stored.data.savedFor ?? undefined,
      allowPrivateAddresses: tool.allowPrivateAddresses,
      call,
    });
    return { tool, connector, session };
  }

  private async unseal(stored: Parameters<ToolSecrets['open']>[1]): Promise<Record<string, string>> {
    try {
      return await this.secrets.open(this.db.manager, stored);
    } catch (error) {
      if (!(error instanceof SecretError)) throw error;
      throw new ToolError('auth-broken', 'The tool’s sealed secrets can’t be opened.', {
        remedy: 'Give them again.',
        cause: error,
      });
    }
  }
}
