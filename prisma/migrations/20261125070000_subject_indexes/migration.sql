-- CreateIndex
CREATE INDEX "online_meetings_tenant_id_appointment_id_idx" ON "online_meetings"("tenant_id", "appointment_id");

-- CreateIndex
CREATE INDEX "online_meetings_tenant_id_interaction_id_idx" ON "online_meetings"("tenant_id", "interaction_id");
