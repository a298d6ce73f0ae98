-- Purpose: one party to be told about one case. Nothing is sent before the plan's rows are erased.
-- Parameters: instruction_id, plan_id, case_id, party, state, reason, at. Grain: plan, case and party.
-- Idempotency: written once.
INSERT INTO gov.downstream_instruction (
    instruction_id, plan_id, case_id, party, state, reason, created_at, next_attempt_at
) VALUES (:instruction_id, :plan_id, :case_id, :party, :state, :reason, :at, :at)
ON CONFLICT (instruction_id) DO NOTHING
