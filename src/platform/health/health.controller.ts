import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Keyring } from '../crypto/keyring.js';
import { DatabaseReadiness } from '../database/readiness.service.js';
import { Public } from '../sign-in/who-may-call.js';
import { RedisProbe } from './redis-probe.service.js';

const Live = z.object({ status: z.literal('live') });
const Ready = z.object({
  status: z.literal('ready'),
  redis: z.enum(['up', 'down', 'not-configured']).describe('Without Redis, work goes on through PostgreSQL alone.'),
  keys: z.enum(['up', 'down']).describe('While a sealing key can’t be had, work that needs a secret waits.'),
});

@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(
    private readonly database: DatabaseReadiness,
    private readonly redis: RedisProbe,
    private readonly keyring: Keyring,
  ) {}

  @Get('live')
  @Public()
  @ApiOperation({ summary: 'Whether the process runs' })
  @ApiOkResponse({ standardSchema: Live })
  live(): z.infer<typeof Live> {
    return { status: 'live' };
  }

  @Get('ready')
  @Public()
  @ApiOperation({ summary: 'Whether requests can be answered: PostgreSQL answers and has all migrations' })
  @ApiOkResponse({ standardSchema: Ready })
  async ready(): Promise<z.infer<typeof Ready>> {
    const [, redis] = await Promise.all([this.database.require(), this.redis.state()]);
    return { status: 'ready', redis, keys: this.keyring.isTroubled ? 'down' : 'up' };
  }
}
