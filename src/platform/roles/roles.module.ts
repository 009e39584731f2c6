import { Module } from '@nestjs/common';
import { Permits } from './permits.service.js';
import { RoleAssignments } from './role-assignments.service.js';
import { RolesController } from './roles.controller.js';

@Module({
  controllers: [RolesController],
  providers: [Permits, RoleAssignments],
  exports: [Permits, RoleAssignments],
})
export class RolesModule {}
