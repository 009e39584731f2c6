import {
  Body,
  Controller,
  Get,
  Header,
  HttpCode,
  Param,
  Post,
  Req,
  Res,
  UploadedFile,
  UseInterceptors,
} from '@nestjs/common';
import { FileInterceptor } from '@nestjs/platform-express';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { Problem } from '../../platform/errors/problem.js';
import { answerPage } from '../../platform/http/one-time-page.js';
import { originOf } from '../../platform/sign-in/origin.js';
import { Public } from '../../platform/sign-in/who-may-call.js';
import { EVIDENCE_LIMIT } from '../evidence.service.js';
import { GoodLinkInterceptor } from './good-link.interceptor.js';
import { TaskLinks, type AttachedFile } from './task-links.service.js';
import { taskPage, thanksPage } from './task-pages.js';

const DoneForm = z.object({ note: z.string().trim().min(3).max(1_500) });
/** Bytes of a file that are read at all: one that is somewhat too large is refused on the page. */
const READ_AT_MOST = 4 * EVIDENCE_LIMIT;
const SAY = 'Say in a few words what you did.';

/** What the parser makes of a file in a form. */
interface FormFile {
  originalname: string;
  buffer: Buffer;
}

/** Where a manager or a tool's owner does a step by hand, by a link; most of them can't sign in here. */
@ApiExcludeController()
@Controller('task-links')
export class TaskDoorController {
  constructor(private readonly links: TaskLinks) {}

  /** Looks without using it up: chat apps and mail scanners open each link they see. */
  @Get(':token')
  @Public()
  @Header('Cache-Control', 'no-store')
  @Header('Referrer-Policy', 'no-referrer')
  async show(@Param('token') token: string, @Res() response: Response): Promise<void> {
    await answerPage(response, async () => taskPage(await this.links.look(token)));
  }

  @Post(':token')
  @Public()
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Header('Referrer-Policy', 'no-referrer')
  @UseInterceptors(
    GoodLinkInterceptor,
    FileInterceptor('file', { limits: { fileSize: READ_AT_MOST, files: 1, fields: 5 } }),
  )
  async complete(
    @Param('token') token: string,
    @Body() body: unknown,
    @UploadedFile() sent: FormFile | undefined,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await answerPage(response, async () => {
      const form = DoneForm.safeParse(body);
      if (!form.success) {
        response.status(400);
        return taskPage(await this.links.look(token), SAY);
      }
      try {
        await this.links.complete(token, form.data.note, fileOf(sent), originOf(request));
      } catch (error) {
        // Somebody else was quicker.
        if (error instanceof Problem && error.kind === 'conflict') throw new Problem('gone', error.message);
        if (!(error instanceof Problem && error.kind === 'too-large')) throw error;
        response.status(413);
        return taskPage(await this.links.look(token), error.message);
      }
      return thanksPage();
    });
  }
}

/** A form whose file was left out sends an empty one. */
function fileOf(sent: FormFile | undefined): AttachedFile | null {
  if (!sent || sent.buffer.length === 0) return null;
  // Browsers send the name as UTF-8, which the parser reads as Latin-1 (multer's README, `originalname`).
  const name = Buffer.from(sent.originalname, 'latin1').toString('utf8');
  return { name: name.replaceAll(/[\p{Cc}/\\]/gu, '_').slice(-200) || 'file', content: sent.buffer };
}
