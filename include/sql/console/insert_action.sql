-- Purpose: write down what somebody takes or withdraws on a page, before it happens.
-- Parameters: action, target, person_id, person_name, at. Grain: action. Idempotency: appends one row each time.
INSERT INTO gov.console_action (action, target, person_id, person_name, at)
VALUES (:action, :target, :person_id, :person_name, :at)
