CREATE TABLE "net_l3vpn_Port" (
  "id" VARCHAR(64) NOT NULL,
  "_project" VARCHAR(64) NOT NULL,
  "name" VARCHAR(64),
  "mac_address" VARCHAR(64),
  "admin_state_up" BOOLEAN NOT NULL,
  "status" VARCHAR(32) NOT NULL,
  "vnic_type" VARCHAR(32) NOT NULL,
  "mtu" BIGINT NOT NULL,
  "vlan_transparency" BOOLEAN NOT NULL,
  "profile" TEXT,
  "device_id" VARCHAR(255),
  "device_owner" VARCHAR(128),
  "host_id" VARCHAR(255),
  "vif_type" VARCHAR(64),
  "vif_details" TEXT,
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_net_l3vpn_Port_f32596933f" PRIMARY KEY ("id")
);
CREATE TABLE "net_l3vpn_Interface" (
  "id" VARCHAR(64) NOT NULL,
  "_project" VARCHAR(64) NOT NULL,
  "name" VARCHAR(64),
  "port_id" VARCHAR(64) NOT NULL REFERENCES "net_l3vpn_Port" ("id") DEFERRABLE INITIALLY DEFERRED,
  "segmentation_type" VARCHAR(32) NOT NULL,
  "segmentation_id" BIGINT NOT NULL,
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_net_l3vpn_Interface_fce32c0487" PRIMARY KEY ("id")
);
CREATE TABLE "net_l3vpn_VpnService" (
  "id" VARCHAR(64) NOT NULL,
  "_project" VARCHAR(64) NOT NULL,
  "name" VARCHAR(64),
  "description" VARCHAR(256),
  "route_distinguisher" VARCHAR(64),
  "ipv4" TEXT,
  "ipv6" TEXT,
  "hub_target" VARCHAR(64),
  "spoke_target" VARCHAR(64),
  "subnets" TEXT NOT NULL,
  "mtu" BIGINT NOT NULL,
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_net_l3vpn_VpnService_e88a466465" PRIMARY KEY ("id")
);
CREATE TABLE "net_l3vpn_VpnBinding" (
  "id" VARCHAR(64) NOT NULL,
  "_project" VARCHAR(64) NOT NULL,
  "interface_id" VARCHAR(64) NOT NULL REFERENCES "net_l3vpn_Interface" ("id") DEFERRABLE INITIALLY DEFERRED,
  "service_id" VARCHAR(64) NOT NULL REFERENCES "net_l3vpn_VpnService" ("id") DEFERRABLE INITIALLY DEFERRED,
  "role" VARCHAR(32) NOT NULL,
  "ip_address" VARCHAR(64),
  "more_addresses" TEXT NOT NULL,
  "anycast_addresses" TEXT NOT NULL,
  "static_routes" TEXT NOT NULL,
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_net_l3vpn_VpnBinding_2e766733d6" PRIMARY KEY ("id")
);
CREATE TABLE "net_l3vpn_BgpPeering" (
  "id" VARCHAR(64) NOT NULL,
  "_project" VARCHAR(64) NOT NULL,
  "name" VARCHAR(64),
  "local_address" VARCHAR(64) NOT NULL,
  "peer_address" VARCHAR(64) NOT NULL,
  "peer_asn" BIGINT NOT NULL,
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_net_l3vpn_BgpPeering_aae7f199f8" PRIMARY KEY ("id")
);
CREATE TABLE "net_l3vpn_DataplaneTunnel" (
  "id" VARCHAR(64) NOT NULL,
  "_project" VARCHAR(64) NOT NULL,
  "name" VARCHAR(64),
  "local_endpoint" VARCHAR(64) NOT NULL,
  "remote_endpoint" VARCHAR(64) NOT NULL,
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_net_l3vpn_DataplaneTunnel_dd80c8a298" PRIMARY KEY ("id")
);
CREATE INDEX "ix_net_l3vpn_Port_025dcd715a" ON "net_l3vpn_Port" ("_project", "id");
CREATE INDEX "ix_net_l3vpn_Port_8cccc76078" ON "net_l3vpn_Port" ("name", "id");
CREATE INDEX "ix_net_l3vpn_Interface_5b9b386642" ON "net_l3vpn_Interface" ("port_id");
CREATE INDEX "ix_net_l3vpn_Interface_3e7a93ad4a" ON "net_l3vpn_Interface" ("_project", "id");
CREATE INDEX "ix_net_l3vpn_Interface_91fee28394" ON "net_l3vpn_Interface" ("name", "id");
CREATE INDEX "ix_net_l3vpn_VpnService_b733de9f6a" ON "net_l3vpn_VpnService" ("_project", "id");
CREATE INDEX "ix_net_l3vpn_VpnService_54e0fa4577" ON "net_l3vpn_VpnService" ("name", "id");
CREATE UNIQUE INDEX "uq_net_l3vpn_VpnBinding_ca699cc775" ON "net_l3vpn_VpnBinding" ("interface_id", "service_id");
CREATE INDEX "ix_net_l3vpn_VpnBinding_7d7e019615" ON "net_l3vpn_VpnBinding" ("service_id");
CREATE INDEX "ix_net_l3vpn_VpnBinding_46618e16a5" ON "net_l3vpn_VpnBinding" ("_project", "id");
CREATE UNIQUE INDEX "uq_net_l3vpn_BgpPeering_8f15203448" ON "net_l3vpn_BgpPeering" ("local_address", "peer_address");
CREATE INDEX "ix_net_l3vpn_BgpPeering_c5023b2e63" ON "net_l3vpn_BgpPeering" ("_project", "id");
CREATE INDEX "ix_net_l3vpn_BgpPeering_95ccae0961" ON "net_l3vpn_BgpPeering" ("name", "id");
CREATE UNIQUE INDEX "uq_net_l3vpn_DataplaneTunnel_8d45d4944e" ON "net_l3vpn_DataplaneTunnel" ("local_endpoint", "remote_endpoint");
CREATE INDEX "ix_net_l3vpn_DataplaneTunnel_16dab56dc3" ON "net_l3vpn_DataplaneTunnel" ("_project", "id");
CREATE INDEX "ix_net_l3vpn_DataplaneTunnel_88f948d845" ON "net_l3vpn_DataplaneTunnel" ("name", "id");
