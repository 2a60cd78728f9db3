drop index activity_type;
drop function convoke_parked;
drop table known_people, pacing_budgets, pacing_settings, parkings, instance_parking, sending_policies, receipt_keys, receipts, provider_ids, attempts, deliveries, messages;
