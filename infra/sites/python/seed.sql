-- The accounts of the shop that runs on a laptop (infra/local/src/seed.rs), and one with a second factor.
-- The password of each is its id and `-local-password`.

insert into accounts (id, email, name, status, password, totp_secret)
values
    ('ann', 'ann@example.com', 'Ann Local', 'active', 'pbkdf2_sha256$1000000$BHiPdyHZ4NW6G3e1rnT92Z$nbNsVVlZ2WcJSYhiSPHzQ3FbRdtqkM2FtgxO5o8z3uE=', null),
    -- Linked to Amazon's lin.
    ('lin', 'lin@example.com', 'Lin Linked', 'active', 'pbkdf2_sha256$1000000$kqhlcpcrWgbU4VQpmLfbzI$HPyhkePzevQQDSQg4LOG56+ZRnaa6fSZq76hE0xF3Gs=', null),
    ('bob', 'bob@example.com', 'Bob Local', 'active', 'pbkdf2_sha256$1000000$6LSoAeuaRBu1PwDF05uYLa$j5KW5hC4UlnatvTNDxQ+87yPA4URzEsIrv4Nq7hwMjE=', null),
    ('sam', 'sam@example.com', 'Sam Local', 'active', 'pbkdf2_sha256$1000000$iu7FrpIf2s5ShFRm8E45S6$ePo1ry0Mbc4/46LbBojlJmXjqkERmjA35Pr7WPiTIzU=', null),
    -- The address in mixed case.
    ('mia', 'Mia@Example.com', 'Mia Mixed', 'active', 'pbkdf2_sha256$1000000$ZKRsG1seCDnYWnbo8jaQWp$5Qyj5UWVVJLI+Ah3hwCVLNYsW7vl3SHemPFWDTkKf/8=', null),
    -- Disabled.
    ('dora', 'dora@example.com', 'Dora Disabled', 'disabled', 'pbkdf2_sha256$1000000$0rdkuxreHVWXnc2P4nJB3a$8llv7KYHdUogzCaoy4q9udCC941MrZEBclESpXXsON4=', null),
    -- Locked.
    ('kim', 'kim@example.com', 'Kim Locked', 'locked', 'pbkdf2_sha256$1000000$atYC63GSckr9x2Yo8G40p5$QZ8R2v86OKqvZ2orv3y/h4hafCjk+Pl7Rk+inh81jOo=', null),
    -- No password.
    ('otto', 'otto@example.com', 'Otto Passwordless', 'active', '!I9rsbejhsI01dkkjQb9p2flwchxF3ZEXRW2uKtzJ', null),
    -- A second factor: the secret is that of RFC 6238, GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ for an authenticator.
    ('tess', 'tess@example.com', 'Tess Twofold', 'active', 'pbkdf2_sha256$1000000$KpO8SieZppjKRSBfcIoVc4$kzStLYzUW83PNay+gt8VpS0NX7qnPtX4HutPBnUQsdU=', '12345678901234567890')
on conflict do nothing;
