import { Module } from '@nestjs/common';
import { ApprovalsModule } from '../approvals/approvals.module.js';
import { RolesModule } from '../platform/roles/roles.module.js';
import { RoleEditsController } from './role-edits.controller.js';
import { RoleEdits } from './role-edits.service.js';

@Module({ imports: [ApprovalsModule, RolesModule], controllers: [RoleEditsController], providers: [RoleEdits] })
export class RoleEditsModule {}
