drop index activity_type;
drop table sending_policies, receipt_keys, receipts, provider_ids, attempts, deliveries, messages;
