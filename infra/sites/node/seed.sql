-- The accounts of the shop that runs on a laptop (infra/local/src/seed.rs), and one with a second factor.
-- The password of each is its id and `-local-password`.

insert into accounts (id, email, name, status, password, totp_secret)
values
    ('ann', 'ann@example.com', 'Ann Local', 'active', '$2b$10$EPjrAx6Gh3qYNnrA6o9JceNuRfT2iFE9vZ2mkeT9/1inFQCTaLgbK', null),
    -- Linked to Amazon's lin.
    ('lin', 'lin@example.com', 'Lin Linked', 'active', '$2b$10$Gi04BscqFiFS3E80dLU1SOPqjncuqB.EnN99J3ZHNavZ/5lns7yGi', null),
    ('bob', 'bob@example.com', 'Bob Local', 'active', '$2b$10$3V.hjFsxS./agRxdHGabJOoLyun1avf62HgBfuUQWAJxXBzQMXWaK', null),
    ('sam', 'sam@example.com', 'Sam Local', 'active', '$2b$10$2qKROwU2dPmNocfNquHEE.Gk2f/cixAhEXas4t5klDg0ESnPYbrz6', null),
    -- The address in mixed case.
    ('mia', 'Mia@Example.com', 'Mia Mixed', 'active', '$2b$10$/o/BuOVxYjkRO2I1a/kKIO8wfh2JqnARnTJ.T6evmy54zhWcYKKU6', null),
    -- Disabled.
    ('dora', 'dora@example.com', 'Dora Disabled', 'disabled', '$2b$10$oZmqRHCO52sLHugMR8igrOjIiLEa9ZTGBXhlvdMy4HAva6RV2WeEO', null),
    -- Locked.
    ('kim', 'kim@example.com', 'Kim Locked', 'locked', '$2b$10$/GHznLFX7FEfpnRMnm20LeMbNxF7n7mXxTtqmR0qpV8F2rmu4PZJW', null),
    -- No password.
    ('otto', 'otto@example.com', 'Otto Passwordless', 'active', null, null),
    -- A second factor: the secret is that of RFC 6238, GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ for an authenticator.
    ('tess', 'tess@example.com', 'Tess Twofold', 'active', '$2b$10$K2Pbl3e9upb5ka19WTAzYOhA/sBlk7n3MS2ikDC1VVfbSsznBcQXy', '12345678901234567890')
on conflict do nothing;
