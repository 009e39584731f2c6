import { Body, Controller, Header, HttpCode, Post, Req } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request } from 'express';
import { z } from 'zod';
import { originOf } from '../origin.js';
import { Public } from '../who-may-call.js';
import { BackChannelLogout } from './back-channel-logout.service.js';

const LogoutRequest = z.object({ logout_token: z.string().min(1).max(16_384) });

/** OpenID Connect Back-Channel Logout 1.0: the provider calls it, and signs what it says. */
@ApiExcludeController()
@Controller('sign-in/oidc/back-channel-logout')
export class BackChannelLogoutController {
  constructor(private readonly backChannel: BackChannelLogout) {}

  @Post()
  @Public()
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  async end(
    @Body({ schema: LogoutRequest }) { logout_token: token }: z.infer<typeof LogoutRequest>,
    @Req() request: Request,
  ): Promise<void> {
    await this.backChannel.end(token, { ...originOf(request), via: 'webhook' });
  }
}
