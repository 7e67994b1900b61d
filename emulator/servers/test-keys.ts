// TEST KEYS FOR LOOPBACK ONLY: everybody can read them, so they protect nothing.
// They are fixed, so that certificates, assertions and tokens of one run are those of the next:
// an RSA key cannot be drawn from an injected source of randomness with node:crypto.

import type { JsonWebKey } from 'node:crypto';

/** The accounts server signs certificates and access tokens with it. */
export const ACCOUNTS_TEST_KEY: JsonWebKey = {
  kty: 'RSA',
  n:
    'oixl3YG-MbD88iZR4jRX4tWcEXhRKhjsgqClH8s8JDw0h1KdCIhIdwa4gvqrQomN1bemRTZuMeI9WzMgQ1Rms_' +
    'qFDw2gldIhOyjaSdMKDL4OrNBBSI3okkKVWNZPv7y2Kk6WS8VjX3HSkDef0XdkOTdf8pmmB9pnEm13rda4MdUz' +
    'L7f0Wd9ZqkfBMr6Nz6ssjPPsCXWX55RXrwnyVDMNpyWiLr7NAkCbUm7UBMIBXn1o-hBhrU36N3DV_10iGRZRin' +
    'YRsyqLpU_bHXaH5KyzRzz5LwxmiMHgNHfoxzsOh_RNNGRQ6y806vBzgjWuiS8-Rq2NMEv1yXKEyZyMSiKvAQ',
  e: 'AQAB',
  d:
    'CdajcegZeaKE_-xE9rIJ_GYM3y7zTphfPdAA4IBIBGM-JREFG5PIAKeQ2UpbijB14TewX73M-twAsKgV_puv1N' +
    '6fhKGlIr2yHCiO8KBb2VjM411Jfp00VS4yqQZsZWONkhy9J7jgfdV2Cp-DQ7YIZ6O1P46keNC-RMsNEgfnGge-' +
    'O5oMW8N2NByLB_Itch_FhjXevAHSjjUjvIqrnYQyofX5661iDzwGaQPr-jUh8n6Z-qpqZb5xYTTh6xMlLR8ZRt' +
    'F6-NxiZ933KMZKgAwVF1bp0BvVjbbkmnfHuhH3qRAqtGg8AZ_czn3jo1LIoJWeke2d6pbW7crkGLegisH9yQ',
  p:
    '2LZU0CrsO-56ynIS3xGiku36Pj08e4jl2U-F-RTHvfc1gP_K-MnIZwh-xmQfKf8W4k-RSHuV2FezfBmzWE0XkS' +
    'yIFiny6W7_LgGpLoyQBfqwBIWftmKiCNy7wgOZ_H8kEAt_w7uNhzP6XWifWn5pDJquy50f8Qa0ClbyfwLseLk',
  q:
    'v5LoPh6v5Zcdl9IdT5KxvRuxvIzzKCrFpRU91BmH14EWpkfDPaQQqJJSLnkqwU-8IczxZlZXpX-PDEN9MwOubv' +
    'xClhQIHzz2psyXckG9Y68c3rQ3WyUnaRYt1SU-2OdmIkG5-OSH74uI6mQGcppUBgeTVY7n5QI-GFhlQJhUtIk',
  dp:
    'jevCWV1yvcDs6z2PfESJSl3NHwttW52IoSsCGt_v-0k04dkibJGAy3D1zSjue8tRij3_cA93T2oH4gLWv8Ik5-' +
    '7Y5GLucM8_EDsIN7LX8wJ8WUnFEWVApjsgPuuq4X_F9zgAoQdnpR52HMwSZ-oXE6kNRc0NiQQRzh-oyWL5yAk',
  dq:
    'Iy-TUl2Ghw-zUsA3u_bAiHA-u9fTjUwV0xVMrtkllxJRm6bQmFC68os1Zu3ASZMghcDDkb1ICdCc8G6w3x7M-f' +
    'uBK1lwiHRFBSvMoSKr61QtZEYLaMUxMN7u-hgGLAaMPrx9sNYglYG2Wv6WJJRt3FGl4PAHbYt05jnOFwgjfqk',
  qi:
    'cWWP5ymh4AFhOXhDxG8vQMxKEYnNfev61Susnp_Aw1BfSngIU9_PGT0_bGjj2MQNTEtCRud9IzNfo_WHZG5_A2' +
    '2DsDcg_uW-lt81i5GvagOVMR6bS-A_f_Rj3jrMcUhTXPzfKHQN2yFGJQ1bf_3HJdynhcW9lH6L2H1mo1Ye5o0',
};

/** The device's account manager signs assertions with it. */
export const CLIENT_TEST_KEY: JsonWebKey = {
  kty: 'RSA',
  n:
    'xsZ_N3nfbaK46x37YrlomWzh6L48r9jgnN335P5sSQ-DH8kJ7HjYiyOQpU_pWYTXmLJS9YAPiirE98rcD1l4R1' +
    'qe4u3H0RaK69tIFRyU6e32r0o4yZj_BeA9gnx1myrVbC389g138LT8MQdGkyS9s1hvtZ9m-_mn2XOJ-Nghx960' +
    'eN9yNOUiCtm13DIAjQnE5mPQo_CoiwmoRHDZlPnVfTsboh4iwVMS5PAbzUQaXP96YNHELhude9FljW5sEuDR3q' +
    'tVAVKjp8morNa4uqgcTRAlOjCbdDOMvOfSF-qvCFD-W9uUqlfJSxSKfzvhng7ANVQDjpSYPs3bE7ozDkaq7w',
  e: 'AQAB',
  d:
    'DgM4PKTuxz_NYWW_rvn7EbXHRy0CAjN7whMzwoTdBVl-mOMHPBBY05YyQDUd8h2XRUBs8LmSXt8c-4rlcH-SJx' +
    'WQVdcFWwwHxxCySCq3pLYNydWlozCR6cwhCe3ULJgca3_icUYJyoI3tQ0aQI06gkYdueP-0oyK9J1cgJpb50b_' +
    '_4hpiWuxiuYEwqLi3wEmLyBIXKty8goi1d3KkaYXeVZATnv5hKAhiIxnhGrBe3D8uXkxA6opJzJXmEeEgXN-Wc' +
    'sGP9BsPfIZAwNUlB3-7uV-iZtrfheFVWT7lmdhSguwEPKErzyAjDNYSwvbHMNB6PzuZ8FtVgrsxdNmToEmgQ',
  p:
    '7l7JsihGAQZDl1sNOTYTfCK826OWpIfSD33To8sd_lZZ6_3LgTi746YINzQQA5wri9Sh9A7yB3w1xJBvdHIEu1' +
    'n7ZMwU1-BhBMrSnAL-w4xhBZt79kHHYVGAmaqbne0TSXihhYeoneBu7cxGo0oarU4DHVt7QRy6SVPYnu_FMRE',
  q:
    '1XoI1eP-DO0dyOnHmq8s9vZFruilZXQyOpOZ3H8gtbcTL9KhiVdLQyf4EcS92Mri_pdibozsJRsesCLySj-Ovq' +
    'zzUOjY8cVIx_MQU0XQoWcdpRmcNBMA7N1sCs1WnqiYr4huRuSO0ka_EuzMkBSnPI8qXdmQTaG6wVyTG-HOG_8',
  dp:
    'h3PTl2ptRT3DAOobnIwPDHZM7V6LRtlrU6RDtIrCc3msRX8Fult74UPC3WO3SeXflOjyUtZ_UCOUBiuxOfFkoP' +
    'Xj9gZGPdniJ6_9d-v3yzUlGOOe0HPWkYWX1zpsjZRfZlunJVLOTVBwmK6A4V9Fw39WI8ONSZXCgdKkgMRtQJE',
  dq:
    'AkOMCnCjhhGRqkrIYhyPdoMAFC3Fa0EDM1nTXOJAP40UeAJc0i8JzkmDOPUEKmNkatzCH3gBHRefiLCmLyFjay' +
    'Q8ZFRD0LSN5Ajw2GE6KCwGxXRzEp5M-TYT6j1pOL-C9wGUYc4UsagsaI_4T2LYryy5f0tKW3hmmZxYtwf6_pM',
  qi:
    'mB3zV1Bha-f1T8eFidgVoJg580J6CBjxNVMB0U20HGRk3K7qPD1ne2dfzRVZOQ26jXp5XGDGHyGz-RgpWBXFVm' +
    '5hbl3LKGkrajz1xwLvXkzhL2oVU5eTSAfczfvSX7GVzxUkHTOLS8AKGEivyuUllGBy0kRCckWXuykg0lQYClI',
};
